"""`xlqa ask`: a question on a paragraph, in any pair of languages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json
from xlqa.errors import XlqaError
from xlqa.util.text import plain


def ask(
    words: Annotated[
        list[str],
        typer.Argument(
            help="CONTEXT and QUESTION; with --context-file the QUESTION alone. `-` reads the context from stdin.",
            metavar="[CONTEXT] QUESTION",
        ),
    ],
    context_file: Annotated[Path | None, typer.Option(help="Read the context from this text file.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Run id, run folder, model folder or hub name. Default: what the sweep in this folder (or XLQA_HOME) kept."
        ),
    ] = None,
    top_k: Annotated[int, typer.Option(help="How many answers.", min=1, max=1000)] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    as_json: Json = False,
) -> int:
    """Ask a trained model a question on a paragraph; the answer is a piece of the paragraph.

    With --json: answer, score (0 to 1), start and end in characters. Exit status 1 when the paragraph holds no answer.

    Examples:

      xlqa ask "El carpincho vive en Brasil y Venezuela." "Where do capybaras live?"

      xlqa ask --context-file article.txt "Who founded the town?" --top-k 3 --json
    """
    context, question = _texts(words, context_file)
    from xlqa.predict import ask as ask_model

    spans = ask_model(context, question, model=model, top_k=top_k, device=device)
    if as_json:
        print_json([{"answer": s.text, "score": round(s.score, 6), "start": s.start, "end": s.end} for s in spans])
    else:
        for span in spans:
            print(plain(span.text))
    return 0 if spans else 1


def _texts(words: list[str], context_file: Path | None) -> tuple[str, str]:
    if context_file is not None:
        if len(words) != 1:
            raise XlqaError("with --context-file give the question alone.")
        try:
            return context_file.read_text(encoding="utf-8"), words[0]
        except (OSError, UnicodeDecodeError) as error:
            raise XlqaError(f"--context-file {context_file}: cannot be read as UTF-8 text ({error}).") from error
    if len(words) != 2:
        raise XlqaError('give a context and a question: xlqa ask "context" "question".')
    return (sys.stdin.read() if words[0] == "-" else words[0]), words[1]
