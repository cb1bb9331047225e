"""`learn report`: a page of one's own."""

from pathlib import Path

import click

from grader.cli.common import Desk, device_option


@click.command(short_help="Write an HTML page with your verdicts.")
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), help="Where; `report` in the workspace.")
@device_option
def command(out: Path | None, device: str) -> None:
    """Check every exercise that you began, and write an HTML page with the verdicts beside your code."""
    desk = Desk.here()
    folder = out or desk.workspace.folder / "report"
    click.echo("Checking what you began …", err=True)
    import secrets

    from grader.core.verdict import Verdict
    from grader.flow import report_on
    from grader.intake.read import read_file
    from grader.judge.device import resolve
    from grader.judge.settings import Settings

    wanted = []
    for exercise in desk.catalogue:
        file = desk.workspace.answer_for(exercise).file
        if file.is_file():
            wanted.append((exercise, read_file(file, student="you", exercise=exercise.name, shown_path=file.name)))
    settings = Settings(
        secrets.randbelow(2**31), resolve(device), language=desk.workspace.language, hidden=(desk.workspace.folder,)
    )
    results, written = report_on(wanted, settings, folder)
    for attempt in results.attempts:
        desk.progress.record(attempt)
    begun = [attempt for attempt in results.attempts if attempt.status is not Verdict.NOT_ATTEMPTED]
    passed = sum(attempt.status is Verdict.PASSED for attempt in begun)
    click.echo(f"{passed} of {len(begun)} begun exercises pass, {len(wanted)} in the workspace.")
    page = next((path for path in written if path.parent.name == "students"), folder / "index.html")
    click.echo(f"Open {page}")
