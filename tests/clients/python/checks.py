"""Counts what passes and what fails, and says it the way scripts/check-clients adds up."""

# Faults of one check that are shown in full.
SHOWN = 5


class Checks:
    """The checks of one program."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failed = 0

    def record(self, what, faults):
        """One check: passed when there are no faults."""
        if not faults:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {self.name}: {what}")
        for fault in faults[:SHOWN]:
            print(f"    {fault}")
        if len(faults) > SHOWN:
            print(f"    and {len(faults) - SHOWN} more")

    def run(self, check):
        """One check given as a function, named by its first line of documentation; it fails by raising."""
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever a client raises is a failure to report
            self.record(check.__doc__, [f"{type(error).__name__}: {str(error)[:600]}"])
        else:
            self.record(check.__doc__, [])

    def finish(self):
        """Prints the line that scripts/check-clients reads; gives the exit code. No check at all is a failure."""
        if not self.passed and not self.failed:
            self.record("checks", ["nothing was checked"])
        print(f"{self.name}: {self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
