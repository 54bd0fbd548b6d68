"""`xlqa doctor`: whether this machine can run a sweep, and what a given one would download."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json, with_settings
from xlqa.errors import EXIT_RUNS_FAILED, XlqaError
from xlqa.util.text import printable

if TYPE_CHECKING:
    from xlqa.doctor import Folder, Need, Reply
    from xlqa.runs.plan.request import SweepRequest
    from xlqa.training.hardware import Machine

SWEEP = "The sweep to check (flags of xlqa sweep)"


LOOKED_AT = (
    "lang", "arms", "model", "target_model", "source_train", "target_train", "target_test", "data_dir", "device", "precision",
    "lora", "source_lora",
)  # fmt: skip
"""The settings that decide what a sweep would download and whether this machine can run it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found; `needs` is None where no sweep was named, `machine` where torch does not work."""

    versions: dict[str, str]
    machine: Machine | None
    data: Folder
    hub: Folder
    hub_address: str
    hub_reply: Reply
    needs: list[Need] | None
    free: int
    problems: list[str]

    def record(self) -> dict[str, Any]:
        """For --json."""
        from xlqa.doctor import sum_downloads

        record: dict[str, Any] = {
            "versions": self.versions, "machine": asdict(self.machine) if self.machine else None,
            "data": asdict(self.data) | {"path": str(self.data.path)},
            "hub_cache": asdict(self.hub) | {"path": str(self.hub.path)},
            "hub": {"address": self.hub_address, "answers": not self.hub_reply.trouble, "trouble": self.hub_reply.trouble},
            "free_bytes": self.free, "problems": self.problems, "ways_out": _ways_out(self.needs or []),
        }  # fmt: skip
        if self.needs is not None:
            total, unknown = sum_downloads(self.needs)
            record |= {"needs": [asdict(need) for need in self.needs], "download_bytes": total, "unknown_size": unknown}
        return record

    def lines(self) -> list[str]:
        """For a terminal."""
        lines = [*_version_lines(self.versions), *_machine_lines(self.machine), *self._folder_lines()]
        if self.needs is not None:
            lines += ["", *_need_lines(self.needs)]
        lines.append("")
        if self.problems:
            lines += [f"problem: {line}" for line in self.problems]
            return lines + [f"fix: {line}" for line in _ways_out(self.needs or [])]
        return [*lines, "No problem found." if self.needs is None else "This sweep can start."]

    def _folder_lines(self) -> list[str]:
        from xlqa.util.tables import format_bytes

        answer = self.hub_reply.trouble and f"does not answer ({self.hub_reply.trouble})"
        return [
            f"data       {self.data.path} ({format_bytes(self.data.bytes)}, {format_bytes(self.free)} free)",
            f"hub cache  {self.hub.path} ({format_bytes(self.hub.bytes)})",
            f"hub        {self.hub_address} {answer or 'answers'}",
        ]


@with_settings(LOOKED_AT, SWEEP)
def doctor(
    config: Annotated[
        Path | None, typer.Option(help="experiment.toml of a sweep; flags override it.", rich_help_panel=SWEEP)
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Check the sweep of xlqa sweep --demo.", rich_help_panel=SWEEP)
    ] = False,
    as_json: Json = False,
    **settings: Any,
) -> int:
    """Check this machine: versions, devices, precision, caches and access to the model hub.

    With a sweep's flags or its --config, also list what that sweep would download, with sizes. Nothing is downloaded.
    The exit status is 1 if something that a sweep needs is missing or broken.

    Examples:

      xlqa doctor

      xlqa doctor --lang ru,zh --model bert-base-multilingual-cased
    """
    from xlqa.runs.plan.request import gather_settings

    found = examine(gather_settings(settings, config, demo))
    if as_json:
        print_json(found.record())
    else:
        print("\n".join(map(printable, found.lines())))
    return EXIT_RUNS_FAILED if found.problems else 0


def examine(settings: dict[str, Any]) -> Findings:
    """Check everything; what is wrong is collected in `problems`.

    Args:
        settings: of a sweep; none, or the device and the precision alone, where no sweep is named.
    """
    from xlqa import doctor as checkup
    from xlqa.data.cache import data_folder
    from xlqa.data.hub_client import hub_address, hub_folder
    from xlqa.runs.plan.request import build_request

    request = build_request(settings) if settings.keys() - {"device", "precision"} else None
    device, precision = str(settings.get("device", "auto")), str(settings.get("precision", "auto"))
    problems = [*checkup.find_unmet(), *checkup.find_unloadable()]
    machine = None if problems else _machine(device, precision, problems)
    reply = checkup.ask_hub()
    needs = checkup.find_needs(request, reply) if request else None
    where = request.data_dir if request else None
    data, hub = checkup.look_at_folder(data_folder(where)), checkup.look_at_folder(hub_folder())
    free = checkup.free_bytes(data.path)
    found = Findings(checkup.read_versions(), machine, data, hub, hub_address(), reply, needs, free, problems)
    problems += [*_environment_problems(), *_need_problems(needs or []), *_folder_problems(found)]
    problems += _lora_problems(request) if request else []
    return found


def _machine(device: str, precision: str, problems: list[str]) -> Machine | None:
    from xlqa.training.hardware import look_at_machine

    try:
        return look_at_machine(device, precision)
    except XlqaError as error:
        problems += str(error).splitlines()
        return None


def _environment_problems() -> list[str]:
    from xlqa.components.environment import refuse_overrides

    try:
        refuse_overrides(os.environ)
    except XlqaError as error:
        return str(error).splitlines()
    return []


def _lora_problems(request: SweepRequest) -> list[str]:
    from xlqa.training.lora import require_peft

    try:
        if request.lora or request.source_lora:
            require_peft()
    except XlqaError as error:
        return str(error).splitlines()
    return []


def _need_problems(needs: list[Need]) -> list[str]:
    return [f"{need.name}: {need.trouble}".removeprefix(": ").rstrip(".") + "." for need in needs if need.trouble]


def _ways_out(needs: list[Need]) -> list[str]:
    """How to continue where an address does not give what it should."""
    from xlqa.data.hub import offer_packaged

    lost = [need for need in needs if need.trouble and need.url]
    data = [need.name for need in lost if need.kind != "encoder"]
    encoders = [need.name for need in lost if need.kind == "encoder"]
    lines = []
    if data:
        lines.append("name local files: --source-train FILE, --target-train ru=FILE, --target-test ru=FILE")
        lines.append(f"where there is network: xlqa data fetch {' '.join(data)} --data-dir DIR, and copy DIR here")
    if encoders:
        lines.append(offer_packaged())
        lines.append("name a local model folder: --model FOLDER")
        fetched = " ".join(f"--model {name}" for name in encoders)
        lines.append(f"where there is network: xlqa data fetch {fetched}, and copy the hub's cache here")
    return [*lines, "xlqa sweep --demo needs no network"] if lines else []


def _folder_problems(found: Findings) -> list[str]:
    from xlqa.doctor import sum_downloads
    from xlqa.util.tables import format_bytes

    problems = []
    coming = [need for need in found.needs or [] if not need.here]
    for folder, kinds, fix in (
        (found.data, ("source", "train", "test"), "choose another --data-dir, or set XLQA_DATA"),
        (found.hub, ("encoder",), "set HF_HOME"),
    ):
        if not folder.writable and any(need.kind in kinds for need in coming):
            problems.append(f"{folder.path} cannot be written, and there is something to download: {fix}.")
    total, _ = sum_downloads(coming)
    if total > found.free:
        problems.append(
            f"{format_bytes(total)} are to be downloaded and {format_bytes(found.free)} are free on the disk of {found.data.path}: free space."
        )
    return problems


def _version_lines(versions: dict[str, str]) -> list[str]:
    words = [f"{name} {version or 'missing'}" for name, version in versions.items()]
    return [f"versions   {', '.join(words[:5])},", f"           {', '.join(words[5:])}"]


def _machine_lines(machine: Machine | None) -> list[str]:
    from xlqa.util.tables import format_bytes

    if machine is None:
        return ["device     unknown: see the problems below"]
    memory = f", {format_bytes(machine.memory)} of memory" if machine.memory else ""
    lines = [f"cpu        {machine.processor} ({machine.cores} cores, {machine.threads} threads{memory})"]
    lines += [f"gpu        {gpu.device}: {gpu.model} ({format_bytes(gpu.memory)})" for gpu in machine.gpus]
    lines += ["gpu        none that torch can use"] * (not machine.gpus)
    return [*lines, f"computes   on {machine.device} in {machine.precision}"]


def _need_lines(needs: list[Need]) -> list[str]:
    from xlqa.doctor import sum_downloads
    from xlqa.util.tables import format_bytes, table_lines

    rows = [(need.kind, need.name or "–", _describe_need(need)) for need in needs]
    total, unknown = sum_downloads(needs)
    rest = f" and {', '.join(unknown)} of unknown size" if unknown else ""
    summary = f"to download: {format_bytes(total)}{rest}" if total or unknown else "nothing to download"
    return [*table_lines(("FOR", "NAME", ""), rows), summary]


def _describe_need(need: Need) -> str:
    from xlqa.util.tables import format_bytes

    if need.here:
        return "here"
    if need.trouble:
        return "not available" + (f" ({format_bytes(need.bytes)})" if need.bytes else "")
    if need.bytes == 0:
        return "to download, with another"
    return "to download, size unknown" if need.bytes is None else f"to download, {format_bytes(need.bytes)}"
