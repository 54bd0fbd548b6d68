"""Write Russian data sets in Latin letters: `python transliterate.py sberquad.train xquad.ru my.json FOLDER`.

The same questions and paragraphs, another script. Letters follow ICAO Doc 9303 (part 3, section 6: Cyrillic; the table of
Russian passports): each Cyrillic letter becomes none to four Latin ones, whatever stands beside it, so that answers
are cut from the new paragraph exactly. A data set is a file that xlqa reads, or the name of a registered one, which is fetched
where it is missing; SQuAD JSON is written.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa.reading import Reading
from xlqa.tasks.qa.writing import write_dataset
from xlqa.tasks.sources import read_ref, resolve

LATIN = (
    "а a, б b, в v, г g, д d, е e, ё e, ж zh, з z, и i, й i, к k, л l, м m, н n, о o, п p, р r, с s, т t, у u, ф f, х kh, "
    "ц ts, ч ch, ш sh, щ shch, ъ ie, ы y, ь , э e, ю iu, я ia"
)
LETTERS = dict(pair.split(" ") for pair in LATIN.split(", "))
TABLE = str.maketrans({**LETTERS, **{letter.upper(): latin.capitalize() for letter, latin in LETTERS.items()}})


def latin(text: str) -> str:
    """A text with its Russian letters in Latin ones; all else stays.

    >>> latin("Щука: ёж, подъезд и Санкт-Петербург, 1703")
    'Shchuka: ezh, podieezd i Sankt-Peterburg, 1703'
    """
    return text.translate(TABLE)


def golds(question: Question) -> tuple[str, ...]:
    """The answers as the file has them, with white space at their edges.

    Raises:
        XlqaError: an answer that is not in its paragraph.
    """
    if not question.is_whole:
        raise XlqaError(f"question {question.id}: an answer is not in its paragraph; take it out of the file.")
    return question.gold_texts


def as_given(answer: Answer, gold: str) -> Answer:
    """An answer with the white space that the file has at its edges."""
    return Answer(gold, answer.start - gold.index(answer.text))


def question_in_latin(question: Question) -> Question:
    """A question with all its texts in Latin letters, each answer at its new place; its id stays.

    Raises:
        XlqaError: an answer of which nothing is left.
    """
    context = latin(question.context)
    answers = tuple(
        Answer(latin(a.text), len(latin(question.context[: a.start])))
        for a in map(as_given, question.answers, golds(question))
    )
    if not all(answer.text.strip() for answer in answers):
        raise XlqaError(f"question {question.id}: nothing is left of an answer; take it out of the file.")
    return replace(
        question,
        question=latin(question.question),
        context=context,
        answers=answers,
        context_hash=hash_context(context),
        golds=None,
    )


def reading_in_latin(reading: Reading) -> Reading:
    """A whole data set in Latin letters."""
    titles = {hash_context(latin(q.context)): latin(reading.titles.get(q.context_hash, "")) for q in reading.questions}
    questions = tuple(map(question_in_latin, reading.questions))
    return replace(reading, everything=questions, titles=titles)


def main() -> int:
    """Transliterate the files named on the command line; 2 where one can't be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", help="Russian data sets: files, or names such as xquad.ru")
    parser.add_argument("folder", type=Path, help="where to write them, each as NAME.latin.json")
    options = parser.parse_args()
    for name in options.sets:
        try:
            ref = resolve(name, language="ru")
            target = options.folder / f"{ref.name}.latin.json"
            write_dataset(reading_in_latin(read_ref(ref, skip_bad=True)), target)
        except XlqaError as error:
            print(f"transliterate.py: {error}", file=sys.stderr)
            return 2
        print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
