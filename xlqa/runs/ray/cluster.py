"""A Ray cluster: finding it, joining it, its nodes, and whether one of them is lost.

Ray, the extra `xlqa[ray]`, is imported on use.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from xlqa import __version__
from xlqa.errors import XlqaError

CONNECT_SECONDS = 3.0
"""How long a machine may take to answer; Ray itself tries for more than a minute."""

LOST_SECONDS = 5.0
"""How long a node that is going down may still answer after its first process died."""

HELLO_SECONDS = 60.0
"""How long a node may take to start Python and report its version."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster: its name for people, its address, and its resources."""

    id: str
    name: str
    address: str
    port: int
    cpus: float
    gpus: float


def find_cluster(address: str) -> str:
    """Find HOST:PORT of a Ray cluster that answers.

    Args:
        address: HOST:PORT, or `auto` for the cluster that this machine is part of (RAY_ADDRESS where that is set).

    Raises:
        XlqaError: Ray is not installed, there is no such cluster, or it does not answer.
    """
    _import_ray()
    # Ray has no public function that tells where a cluster is; connecting takes a minute where none answers.
    from ray._private.services import canonicalize_bootstrap_address

    if "://" in address or (address == "auto" and "://" in os.environ.get("RAY_ADDRESS", "")):
        raise XlqaError("--ray-address: start the sweep on a machine of the cluster, and use HOST:PORT or auto.")
    try:
        found = canonicalize_bootstrap_address(address)
        host, port = str(found).rsplit(":", 1)
        number = int(port)
    except ConnectionError:
        raise XlqaError(
            "--launcher ray: this machine is not part of a Ray cluster: start one with `ray start --head`, add others with "
            "`ray start --address HOST:PORT`."
        ) from None
    except (ValueError, OSError):
        raise XlqaError(f"--ray-address {address}: use HOST:PORT, such as 10.0.0.1:6379, or auto.") from None
    if not answers(host.strip("[]"), number):
        raise XlqaError(
            f"--ray-address {address}: no Ray cluster answers at {found}: start one with `ray start --head --port {port}`."
        )
    return str(found)


def _import_ray() -> Any:
    try:
        # Its warnings about future versions are of no use to somebody who runs a sweep.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            import ray
    except ImportError as error:
        raise XlqaError(f"--launcher ray needs Ray ({error}): pip install 'xlqa[ray]'.") from error
    return ray


def answers(host: str, port: int) -> bool:
    """Whether something accepts connections at an address."""
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


@contextmanager
def joined(address: str) -> Iterator[None]:
    """Act as a driver of a cluster; what the driver started there ends with it.

    Raises:
        XlqaError: the cluster is not there, is of another version, or this machine is not part of it.
    """
    ray = _import_ray()
    if ray.is_initialized():
        yield
        return
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    # Ray would report dead processes on stdout, which belongs to the output of --json.
    ray._private.worker._worker_logs_enabled = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(
                address=address, job_config=_safe_job_config(), log_to_driver=False, logging_level=logging.CRITICAL,
                include_dashboard=None,
            )  # fmt: skip
    except (Exception, SystemExit) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise XlqaError(f"--launcher ray: {address} cannot be joined: {reason}") from error
    finally:
        if main:
            # Ray's handler would end this process at once, before the table is written.
            signal.signal(signal.SIGTERM, before)
    try:
        yield
    finally:
        ray.shutdown()
        ray._private.worker._worker_logs_enabled = True


def _safe_job_config() -> Any:
    """A job config with which the nodes do not import from the driver's current folder, where a torch.py may be."""
    from ray.job_config import JobConfig

    class SafeJobConfig(JobConfig):  # type: ignore[misc]  # Ray has no types here
        def _runtime_env_has_working_dir(self) -> bool:
            # Asked for this one purpose: without a working_dir, Ray adds the current folder to the nodes' sys.path.
            return True

    return SafeJobConfig()


def nodes() -> list[Node]:
    """The nodes that the cluster considers alive, by name."""
    import ray

    found = [
        Node(
            node["NodeID"], node.get("NodeName") or node["NodeManagerHostname"], node["NodeManagerAddress"],
            node["NodeManagerPort"], node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]  # fmt: skip
    return sorted(found, key=lambda node: (node.name, node.id))


def is_reachable(node: Node) -> bool:
    """Whether a node answers now; the cluster itself takes half a minute to miss one."""
    return answers(node.address, node.port)


def is_lost(node: Node) -> bool:
    """Whether a node on which a process died is lost as a whole."""
    deadline = time.monotonic() + LOST_SECONDS
    while time.monotonic() < deadline:
        if not is_reachable(node) or node.id not in {other.id for other in nodes()}:
            return True
        time.sleep(0.25)
    return False


def on_node(node: Node) -> Any:
    """Ray's strategy for placing an actor or task on this node and nowhere else."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node.id, soft=False)


def other_versions(asked: Sequence[Node]) -> dict[Node, str]:
    """One line for each node that has another version of xlqa than this machine, or none."""
    import ray
    from ray.exceptions import GetTimeoutError, RayError

    task = _version_task()
    refs = {node: task.options(num_cpus=0, scheduling_strategy=on_node(node)).remote() for node in asked}
    wrong, deadline = {}, time.monotonic() + HELLO_SECONDS
    for node, ref in refs.items():
        try:
            version = ray.get(ref, timeout=max(0.1, deadline - time.monotonic()))
        except GetTimeoutError:
            wrong[node] = f"node {node.name} does not start Python within {HELLO_SECONDS:.0f} s: see its Ray logs."
        except RayError:
            continue  # it was lost meanwhile; its slots will notice
        else:
            if version != __version__:
                there = f"xlqa {version}" if version else "no xlqa"
                wrong[node] = (
                    f"node {node.name} has {there}, this machine xlqa {__version__}: install the same on both."
                )
    return wrong


def _version_task() -> Any:
    import ray

    # Inside a function, so that Ray sends its code: a node may have no xlqa, or another one.
    def version() -> str | None:
        try:
            import xlqa
        except ImportError:
            return None
        return str(xlqa.__version__)

    return ray.remote(version)


def end_actor(actor: Any) -> None:
    """End an actor at once, if it still exists."""
    import ray
    from ray.exceptions import RayError

    with suppress(RayError, ValueError):
        ray.kill(actor)
