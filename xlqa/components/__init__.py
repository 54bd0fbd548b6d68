"""The DeepPavlov components that xlqa's configs name by import path: reader, iterator, preprocessor, model, trainer, metrics.

python -m deeppavlov train runs/<id>/config.json
"""
