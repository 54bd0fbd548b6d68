"""Where a case's sweep lies when the disk itself fails: a small disk, a mount that goes away, a disk turned read-only.

Mounting needs root on Linux. Without root, the nearest possible fault is injected, and `how` states this.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faultinjection.process import Broken

MS_RDONLY, MS_REMOUNT, MS_BIND, MNT_DETACH = 1, 32, 4096, 2
_libc = ctypes.CDLL(None, use_errno=True)


def can_mount(folder: Path) -> bool:
    """Whether this process may mount a tmpfs."""
    trial = folder / "trial"
    trial.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(trial)], capture_output=True)
    if done.returncode == 0:
        subprocess.run(["umount", str(trial)], check=True)
    trial.rmdir()
    return done.returncode == 0


def mount(*words: str) -> None:
    """`mount …`, which must succeed."""
    subprocess.run(["mount", *words], check=True, capture_output=True)


def turn(folder: Path, *, read_only: bool, until: Callable[[], bool] = lambda: False) -> bool:
    """Turn a bind mount read-only or writable, as soon as no file is open for writing; gives up when `until` says so."""
    flags = MS_REMOUNT | MS_BIND | (MS_RDONLY if read_only else 0)
    while _libc.mount(None, os.fsencode(folder), None, flags, None) != 0:
        if until():
            return False
        time.sleep(0.0005)
    return True


def detach(folder: Path) -> None:
    """Take a mount away, whoever uses it."""
    _libc.umount2(os.fsencode(folder), MNT_DETACH)


@dataclass
class Place:
    """A sweep's folder that can be harmed as a whole.

    Attributes:
        out: the sweep's folder.
        mounts: to take away at the end, last first; away: whether the sweep's is away just now.
    """

    out: Path
    mounts: list[Path] = field(default_factory=list)
    away: bool = False

    def small(self) -> None:
        """Let the folder lie on a tmpfs of its own, with space enough; what it holds is copied there."""
        before = self._set_aside()
        self.out.mkdir()
        mount("-t", "tmpfs", "-o", "size=64m", "none", str(self.out))
        self.mounts.append(self.out)
        if before:
            shutil.copytree(before, self.out, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(before)

    def fill(self, left: int, files: bool = False) -> None:
        """Leave so many KiB (or numbers of files) of that tmpfs."""
        for more in range(left, left + 4096, 64):
            # While the sweep writes on, the limit may be below what is used already.
            used = os.statvfs(self.out)
            limit = f"nr_inodes={used.f_files - used.f_ffree + more}" if files else f"size={self._used(used) + more}k"
            if subprocess.run(["mount", "-o", f"remount,{limit}", str(self.out)], capture_output=True).returncode == 0:
                return
        raise Broken("the small disk could not be filled.")

    def _used(self, stat: os.statvfs_result) -> int:
        return (stat.f_blocks - stat.f_bfree) * stat.f_frsize // 1024

    def grow(self) -> None:
        """Free space on that tmpfs."""
        mount("-o", "remount,size=64m,nr_inodes=100000", str(self.out))

    def bind(self) -> None:
        """Let the folder be a mount: its files lie beside it and outlive it."""
        disk = self.out.with_name("disk")
        if before := self._set_aside():
            before.rename(disk)
        disk.mkdir(exist_ok=True)
        self.out.mkdir()
        self.mounts.append(self.out)
        mount("--bind", str(disk), str(self.out))

    def unmount(self) -> None:
        """What a failing mount does: an empty folder is left."""
        detach(self.out)
        self.away = True

    def remount(self) -> None:
        """The mount is back, if it was away; below it nothing may have been written meanwhile.

        Raises:
            Broken: something was.
        """
        if not self.away:
            return
        if left := sorted(path.name for path in self.out.iterdir()):
            raise Broken(f"written where the mount was: {', '.join(left)}")
        mount("--bind", str(self.out.with_name("disk")), str(self.out))
        self.away = False

    def settle(self) -> None:
        """Take all mounts away; the sweep's files stay where the sweep was."""
        while self.mounts:
            folder = self.mounts.pop()
            copy = folder.with_name("settled")
            shutil.copytree(folder, copy, symlinks=True)
            detach(folder)
            shutil.rmtree(folder)
            copy.rename(folder)

    def _set_aside(self) -> Path | None:
        if not self.out.exists():
            return None
        before = self.out.with_name("before")
        self.out.rename(before)
        return before
