"""`xlqa ask`: a question on a paragraph, in any pair of languages."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from xlqa.cli import print_json
from xlqa.cli.options import Device, Json
from xlqa.errors import XlqaError
from xlqa.util.files import read_input
from xlqa.util.text import plain


class AskCommand(TyperCommand):
    """The command with texts as arguments, which may begin with a dash: "-5 degrees" is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put texts that begin with a dash after `--`, with all other arguments."""
        with_value = {name for param in self.params for name in param.opts if not getattr(param, "is_flag", False)}
        return list(super().parse_args(ctx, sentences_last(args, with_value)))


def sentences_last(args: list[str], with_value: set[str]) -> list[str]:
    """Arguments in which no text is taken for an option.

    Args:
        with_value: options that take the next argument as their value.
    """
    if "--" in args or not any(map(_is_sentence, args)):
        return args
    options: list[str] = []
    texts: list[str] = []
    rest = iter(args)
    for word in rest:
        if not word.startswith("-") or word == "-" or _is_sentence(word):
            texts.append(word)
            continue
        options.append(word)
        if word in with_value:
            options += [value for value in [next(rest, None)] if value is not None]
    return [*options, "--", *texts]


def _is_sentence(word: str) -> bool:
    """Whether a word that begins with a dash is a text: no option has a digit, a blank or another sign there."""
    return re.match(r"-[^A-Za-z-]|-[A-Za-z]\S*\s|--?\s", word) is not None


def ask(
    words: Annotated[
        list[str],
        typer.Argument(
            help="CONTEXT and QUESTION. With --context-file only QUESTION. `-` reads the context from stdin. For other tasks "
            "the text, or both sentences of a pair.",
            metavar="[CONTEXT] QUESTION",
        ),
    ],
    task: Annotated[
        str, typer.Option(help="Task of the model: qa, ner, pos, nli, paraphrase, topic or sentiment.")
    ] = "qa",
    context_file: Annotated[Path | None, typer.Option(help="Read the context from this text file.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Run id, run folder, model folder or hub name. Default: what the sweep in this folder (or XLQA_HOME) kept."
        ),
    ] = None,
    top_k: Annotated[int, typer.Option(help="Number of answers to print.", min=1, max=1000)] = 1,
    device: Device = "auto",
    as_json: Json = False,
) -> int:
    """Ask a trained model a question about a paragraph. The answer is part of the paragraph.

    --json adds score (0 to 1), start and end in characters. The exit status is 1 if the model finds no answer. A model that was trained
    with --unanswerable then prints "no answer"; in --json this is an empty answer at -1.

    Examples:

      xlqa ask "El carpincho vive en Brasil y Venezuela." "Where do capybaras live?"

      xlqa ask --task ner "Mara vive en Brenna."
    """
    if task != "qa":
        if context_file is not None:
            raise XlqaError(f"--context-file is for --task qa: write xlqa ask --task {task} - < {context_file}")
        return _ask_other(task, words, model, top_k, device, as_json)
    context, question = _texts(words, context_file)
    from xlqa.api.asking import NO_ANSWER
    from xlqa.api.asking import ask as ask_model

    spans = ask_model(context, question, model=model, top_k=top_k, device=device)
    if as_json:
        print_json(spans.as_rows())
    else:
        for span in spans:
            print(plain(span.text) or NO_ANSWER)
    return 0 if spans and spans[0].text else 1


def _ask_other(task: str, texts: list[str], model: str | None, top_k: int, device: str, as_json: bool) -> int:
    """Print what a model of another task than question answering makes of a text, or of a pair of texts."""
    from xlqa.api.asking import ask as ask_model

    texts = [_read_stdin() if text == "-" else text for text in texts]
    if len(texts) > 2 or (len(texts) > 1 and task in ("ner", "pos")):
        raise XlqaError(
            f'--task {task} takes one text{"" if task in ("ner", "pos") else " or two"}: xlqa ask --task {task} "text".'
        )
    options: dict[str, Any] = {"task": task, "model": model, "top_k": top_k, "device": device}
    rows = ask_model(*texts, **options).as_rows()
    if as_json:
        print_json(rows)
    for row in rows if not as_json else ():
        print(*(plain(str(value)) for value in list(row.values())[:2]), sep="\t")
    return 0 if rows else 1


def _texts(words: list[str], context_file: Path | None) -> tuple[str, str]:
    if context_file is not None:
        if len(words) != 1:
            raise XlqaError("with --context-file give the question alone.")
        try:
            # Line ends stay as they are: the answer's place counts the file's own characters.
            return read_input(context_file).decode("utf-8-sig"), words[0]
        except (OSError, UnicodeDecodeError) as error:
            raise XlqaError(f"--context-file {context_file}: cannot be read as UTF-8 text ({error}).") from error
    if len(words) != 2:
        raise XlqaError('give a context and a question: xlqa ask "context" "question".')
    return (_read_stdin() if words[0] == "-" else words[0]), words[1]


def _read_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise XlqaError(f"the text on stdin is not UTF-8 text ({error}).") from error
