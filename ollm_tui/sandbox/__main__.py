"""The made-up server as a process of its own: `python -m ollm_tui.sandbox`."""

import argparse
import signal
import sys
import threading
from dataclasses import replace

from ollm_tui.sandbox.faults import EndpointMode
from ollm_tui.sandbox.profile import PROFILES
from ollm_tui.sandbox.roster import DEMO_LOADED, synthetic_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import Timing


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; the address is the first line of the output."""
    options = _parser().parse_args(arguments)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    server = SandboxServer(
        port=options.port,
        models=options.models,
        loaded=DEMO_LOADED if options.models is None else (),
        catalogue=None if options.offer is None else synthetic_models(options.offer),
        timing=replace(
            Timing(), pull_speed_bytes_per_s=options.speed, pull_tick_s=1 / options.events
        ),
        version=options.version,
        hostile=options.hostile,
    )
    for path, mode in options.fault:
        server.faults.set(path, mode)
    with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        stopping.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ollm_tui.sandbox", description="Serve made-up models as Ollama would."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one (default)")
    parser.add_argument("--models", type=int, metavar="N", help="make up N models instead")
    parser.add_argument("--offer", type=int, metavar="N", help="make up N models to be pulled")
    parser.add_argument(
        "--events",
        type=float,
        default=1 / Timing().pull_tick_s,
        metavar="N",
        help="of each download, per second",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=Timing().pull_speed_bytes_per_s,
        metavar="BYTES",
        help="of each download, per second; inf waits for nothing",
    )
    parser.add_argument("--version", choices=PROFILES, default="0.33", help="how old it is")
    parser.add_argument("--hostile", action="store_true", help="add models with hostile names")
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="ENDPOINT=MODE",
        help=f"modes: {', '.join(EndpointMode)}",
    )
    return parser


def _fault(text: str) -> tuple[str, EndpointMode]:
    path, _, mode = text.rpartition("=")
    try:
        return path, EndpointMode(mode)
    except ValueError:
        raise argparse.ArgumentTypeError(f"no such mode: {mode}") from None


if __name__ == "__main__":
    sys.exit(main())
