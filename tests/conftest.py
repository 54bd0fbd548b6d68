"""What all tests share: the shared data folder, unpacked once, and a clean environment."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# A change must not fail on examples that it did not cause. HYPOTHESIS_PROFILE=random draws new examples in each run.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None)
hypothesis.settings.register_profile("random", derandomize=False)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# Before torch loads: beside another program, threads that spin while they wait fall to a tenth of their speed.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real data sets, unpacked; skips where the folder is not there."""
    unpack = SHARED / "unpack"
    if not unpack.is_file():
        pytest.skip(f"the shared data folder is not beside this checkout ({SHARED})")
    # One unpacked copy serves all worker processes of a parallel test run.
    folder = tmp_path_factory.getbasetemp().parent / "shared-data"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([sys.executable, str(unpack), str(folder)], check=True)
    return folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the caches of the person who runs it."""
    for name in [n for n in os.environ if n.startswith(("XLQA_", "DP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XLQA_CACHE", str(tmp_path / "xlqa-cache"))
    monkeypatch.setenv("DP_SKIP_NLTK_DOWNLOAD", "1")


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT with a real WordPiece tokenizer over single characters and a few words, saved as a folder."""
    from faultinjection.fixtures import make_encoder  # of scripts/, whose tests are here too

    return make_encoder(tmp_path_factory.mktemp("encoder") / "tiny")
