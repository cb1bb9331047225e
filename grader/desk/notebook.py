"""An exercise as a notebook: its task, and a cell with the stub that checks itself when it is run.

One cell holds the whole stub, under the magic `%%check NN` of `grader/cli/_magic.py`: what is run is what is checked,
with nothing left over from a cell that was changed and not run. Who would rather have a cell for each function may
cut it up and put `%check NN` in the last one. Nothing in the file comes from the checks or the answers.
"""

from grader.core.exercise import Exercise

_HOW = {
    "en": (
        "Write your answer into the cell below and run the cell: it runs as always, and then tells what your answer is "
        "worth. The first verdict takes some seconds more, because the judge starts. You may add cells to try things "
        "out, and give your functions cells of their own: then `%check {nr}` in a cell after them checks what you have "
        "run.\n\n"
        "If `%load_ext grader` fails, this notebook runs with another Python than `learn`; in a terminal, "
        "`learn check {file}` checks the saved notebook all the same."
    ),
    "zh": (
        "在下面的单元格中写出你的答案并运行它：代码照常执行，同时给出判定结果。第一次判定需要多等几秒，因为判题进程正在启动。"
        "你可以添加单元格来做试验，也可以把各个函数分到不同的单元格：那时在它们之后的单元格中写 `%check {nr}`，"
        "就会检查你已经运行过的代码。\n\n"
        "如果 `%load_ext grader` 失败，说明这个笔记本使用的 Python 与 `learn` 不同；"
        "在终端里用 `learn check {file}` 同样可以检查保存好的笔记本。"
    ),
}
_ALONE = {
    "en": "Write your answer into the cell below. You may add cells to try things out; what they hold is read too.",
    "zh": "在下面的单元格中写出你的答案。你可以添加单元格来做试验；其中的代码也会一并读取。",
}


def notebook_of(exercise: Exercise, language: str = "en", *, checkable: bool = True) -> str:
    """The text of the .ipynb file: the same for the same exercise, byte for byte.

    checkable: whether whoever receives it has the exercise installed. Without it there is nothing to load, and the
    answer is checked where it is handed in.
    """
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    nr = exercise.name.partition("_")[0]
    stub = exercise.stub.read_text(encoding="utf-8").strip("\n")
    how = _HOW if checkable else _ALONE
    said = (how.get(language) or how["en"]).format(nr=nr, file=f"{exercise.name}.ipynb")
    cells = [
        new_markdown_cell(task(exercise, language).strip("\n"), id="task"),
        new_markdown_cell(said, id="how"),
        new_code_cell(f"%%check {nr}\n{stub}" if checkable else stub, id="answer"),
    ]
    if checkable:
        cells.insert(2, new_code_cell("%load_ext grader", id="load"))
    book = new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(book)
    return str(nbformat.writes(book)) + "\n"


def task(exercise: Exercise, language: str = "en") -> str:
    """The README in a language where it was written, else in English."""
    readme = exercise.readme.with_name(f"README.{language}.md")
    return (readme if readme.is_file() else exercise.readme).read_text(encoding="utf-8")
