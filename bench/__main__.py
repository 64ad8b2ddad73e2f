"""From options to report."""

import sys

from bench import base, machine, report, scenarios
from bench.options import parse
from bench.processes import BenchError, end_on_signals, work_folder


def main() -> int:
    """Runs the comparison; the exit code is 1 when a part failed, never because an aim was missed."""
    options = parse()
    end_on_signals()
    try:
        with work_folder(options.keep) as work:
            facts = machine.describe(options.imagewright)
            archive = base.archive()
            outcome = scenarios.run(options, archive, work)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    document = report.document(options, facts, outcome)
    report.write_json(document, options.json)
    print(report.markdown(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
