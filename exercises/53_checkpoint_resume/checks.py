from grader.checks import check, fail

COMES_BACK = "test_weights_come_back"
RESUMES = (COMES_BACK, "test_next_epoch", "test_optimizer_goes_on", "test_learning_rate_goes_on", "test_noise_goes_on")
TRAINS = (*RESUMES, "test_saved_epochs", "test_keep_last")


def table(draw, rows=6, columns=3, targets=2):
    return draw.normal(rows, columns), draw.normal(rows, targets)


def folder(student, name):
    """The scratch folder `name`, in a list from which the scene takes it: paths differ from process to process."""
    return [student.path(name)]


def told(answer, key):
    """What the scene tells under `key`, as text; a forged reply may tell anything."""
    return str(answer.value.get(key) if isinstance(answer.value, dict) else None)


@check(points=1)
def test_weights_come_back(student, draw):
    """In a new process, load_checkpoint puts every tensor of the model's state back."""
    first, second = table(draw, 6, 3, 2), table(draw, 5, 4, 4)
    epoch = draw.whole(2, 9)
    student.scene("save_weights", folder(student, "weights"), "a.pt", epoch, *first).agrees()
    student.scene("save_weights", folder(student, "weights"), "b.pt", epoch + 1, *second).agrees()
    student.restart()
    say = "The model must be as it was when it was saved."
    student.scene("load_weights", folder(student, "weights"), "b.pt", *second).agrees(say=say)
    student.scene("load_weights", folder(student, "weights"), "a.pt", *first).agrees(say=say)


@check(points=1, needs=COMES_BACK)
def test_next_epoch(student, draw):
    """load_checkpoint returns the epoch to go on with."""
    for epoch in (draw.whole(3, 40), 0):
        student.scene("next_epoch", folder(student, "next"), epoch, *table(draw)).agrees(
            say=f"Epoch {epoch} was finished when the checkpoint was written."
        )


@check(points=2, needs=COMES_BACK)
def test_optimizer_goes_on(student, draw):
    """2 steps, a new process, 2 steps: the weights of 4 steps straight, with Adam and with momentum."""
    cases = [("Adam", *table(draw, 6, 3, 2)), ("momentum", *table(draw, 5, 4, 4))]
    for kind, inputs, labels in cases:
        values = [draw.normal(labels.shape[1], inputs.shape[1]), draw.normal(labels.shape[1])]
        student.scene("steps_before", folder(student, "steps"), kind, 2, values, inputs, labels).agrees()
    student.restart()
    for kind, inputs, labels in cases:
        student.scene("steps_after", folder(student, "steps"), kind, 2, inputs, labels).agrees(
            say="4 steps without a stop give the expected values."
        )


@check(points=1, needs=COMES_BACK)
def test_learning_rate_goes_on(student, draw):
    """After a resume, the learning rate falls in the same epochs as without a stop."""
    inputs, labels = table(draw)
    # Cut after the first fall and not at one, so that a lost optimizer and a lost scheduler both show.
    cut, every = draw.choice([(3, 2), (5, 2), (4, 3), (5, 3)])
    cases = [
        ("step", cut, draw.real(0.01, 0.1), every, draw.real(0.2, 0.6)),
        ("cosine", draw.whole(2, 5), draw.real(0.01, 0.1), 3, 1.0),
    ]
    for kind, cut, *plan in cases:
        student.scene("rates_before", folder(student, "rates"), kind, cut, *plan, inputs, labels).agrees()
    for kind, cut, *plan in cases:
        student.scene("rates_after", folder(student, "rates"), kind, *plan, inputs, labels).agrees(
            say=f"These are the epochs from {cut} on; the checkpoint was written after epoch {cut - 1}."
        )


@check(points=2, needs="test_optimizer_goes_on")
def test_noise_goes_on(student, draw):
    """After a resume, shuffling and dropout draw the numbers that would have come next."""
    ones = draw.uniform(4, 6, low=1.0, high=2.0)
    student.scene("noise_before", folder(student, "noise"), draw.whole(1, 60), ones).agrees(
        say="save_checkpoint must leave the random numbers that come after it as they are."
    )
    student.scene("noise_after", folder(student, "noise"), ones).agrees(
        say="The same model in train mode, had it not been stopped, draws the expected values."
    )


@check(points=2)
def test_plain_file(student, draw):
    """The file opens with weights_only=True, and load_checkpoint opens it in no other way."""
    inputs, labels = table(draw)
    plain = student.scene("open_plainly", folder(student, "plain"), draw.whole(1, 30), inputs, labels)
    if plain.expected != plain.value:
        fail(
            "torch.load(path, weights_only=True) refuses your file: it holds something of "
            f"{told(plain, 'holds something of')[:40]} that is neither a tensor nor a plain value."
        )
    stranger = student.scene("load_a_strangers", folder(student, "stranger"), inputs, labels)
    if stranger.expected != stranger.value:
        fail("load_checkpoint was given a file with code hidden in it, and the code ran.")


@check(points=1, needs=COMES_BACK)
def test_file_from_gpu(student, draw):
    """A checkpoint that was written on a GPU loads on a machine that lacks it."""
    student.scene("move_devices", folder(student, "gpu"), *table(draw)).agrees()
    student.scene("move_devices", folder(student, "gpu"), *table(draw, 5, 4, 4)).agrees()


@check(points=1, needs=COMES_BACK)
def test_misfit_is_refused(student, draw):
    """A checkpoint whose names are not the model's is refused with an error."""
    one, two, three, four = (draw.word(5) + letter for letter in "abcd")
    for names, others in (((one, two), (three, four)), ((one, two), (one, three))):
        misfit = student.scene("load_a_misfit", folder(student, "misfit"), names, others, *table(draw))
        if misfit.expected != misfit.value:
            fail(
                f"The checkpoint has the layers {names[0]} and {names[1]}, the model {others[0]} and {others[1]}. "
                "load_checkpoint raised no error."
            )


@check(points=2, needs=COMES_BACK)
def test_failed_save(student, draw):
    """When a save fails midway, the caller is told, and the old checkpoint still loads."""
    inputs, labels = table(draw)
    values, later = ([draw.normal(2, 3), draw.normal(2)] for _ in range(2))
    failing = student.scene("fail_midway", folder(student, "failing"), draw.whole(1, 30), values, later, inputs, labels)
    if failing.expected != failing.value:
        fail("The disk was full in the middle of save_checkpoint, and the caller got no error.")
    found = student.scene("after_the_failure", folder(student, "failing"), inputs, labels)
    if told(found, "loads") != "True":
        fail("The disk was full in the middle of a save, and now the file under the final name cannot be loaded.")
    found.agrees(say="The save of the epoch after it failed, so the older checkpoint must still be there.")


@check(points=1)
def test_always_whole(student, draw):
    """At every moment the final name is the old checkpoint or the new one, and nothing else is left behind."""
    seen = student.scene("watch_saves", folder(student, "watched"), *table(draw))
    if "part" in told(seen, "first") + told(seen, "second"):
        fail("During save_checkpoint there was a moment when the final name was a half-written file.")
    if "nothing" in told(seen, "second"):
        fail("During a save over an older checkpoint there was a moment when no file had the final name.")
    seen.agrees(say="Only the checkpoint itself may lie in the folder after a save.")


def numbers(draw):
    """Epochs in groups by age, so that the order of numbers, of texts and of times all differ."""
    small, digit = draw.whole(2, 4), draw.whole(5, 7)
    teen, eighty, hundred = draw.whole(10, 19), draw.whole(80, 89), draw.whole(100, 109)
    earlier = [hundred, digit, eighty]
    draw.python.shuffle(earlier)
    return earlier, [teen, small], ["best.pt", f"epoch_{hundred + 1}.pt.tmp", "notes.txt"]


@check(points=1)
def test_saved_epochs(student, draw):
    """saved_epochs lists the numbers of the checkpoints in a folder, lowest first."""
    for name in ("listed", "listed_too"):
        student.scene("list_saved", folder(student, name), *numbers(draw)).agrees()
    student.scene("list_saved", folder(student, "listed_empty"), [], [], ["notes.txt"]).agrees()


@check(points=1, needs="test_saved_epochs")
def test_keep_last(student, draw):
    """keep_last leaves the k newest checkpoints and every other file."""
    for name, k in (("pruned", 2), ("pruned_one", 1), ("pruned_all", 5), ("pruned_more", 7), ("pruned_too", 3)):
        earlier, later, strangers = numbers(draw)
        student.scene("prune", folder(student, name), earlier, later, strangers, k).agrees(
            say=f"There were {sorted([*earlier, *later])}, and k is {k}."
        )


def plan(draw, rows=10):
    """Inputs, labels and weights of a small training."""
    inputs, labels = table(draw, rows)
    return [draw.normal(4, 3), draw.normal(4), draw.normal(2, 4), draw.normal(2)], inputs, labels


@check(points=1, needs=TRAINS)
def test_train_from_start(student, draw):
    """In a new folder, training runs all epochs, and saves and tidies up after each."""
    student.scene("train", folder(student, "start"), draw.word(), draw.whole(3, 4), 2, 2, *plan(draw)).agrees()
    student.scene("train", folder(student, "start"), draw.word(), 2, 3, 1, *plan(draw, 9)).agrees()


@check(points=2, needs=TRAINS)
def test_train_resumes(student, draw):
    """Cut short in the middle of an epoch, training goes on in a new process as if never stopped."""
    cut, name = draw.whole(2, 3), draw.word()
    values, inputs, labels = plan(draw)
    student.scene("train", folder(student, "cut"), name, 5, 2, 2, values, inputs, labels, cut=cut).agrees()
    student.restart()
    student.scene("train", folder(student, "cut"), name, 5, 2, 2, [], inputs, labels).agrees(
        say=f"The power went in epoch {cut} of 5, so epochs {cut} to 4 were still to be trained."
    )


@check(points=1, needs=TRAINS)
def test_train_newest(student, draw):
    """Training goes on from the highest number, and has nothing to do when all epochs are done."""
    _, inputs, labels = plan(draw)
    older = draw.whole(8, 9)
    student.scene("train_twice", folder(student, "newest"), [older, 10], 12, 2, 3, inputs, labels).agrees(
        say=f"The folder held epoch_{older}.pt and epoch_10.pt, and 12 epochs were asked for in all."
    )
