from grader.checks import check, fail

COMES_BACK = "test_weights_come_back"
RESUMES = (COMES_BACK, "test_next_epoch", "test_optimizer_goes_on", "test_learning_rate_goes_on", "test_noise_goes_on")
TRAINS = (*RESUMES, "test_saved_epochs", "test_keep_last")


def folder(student, name):
    """The scratch folder `name`, in a list from which the scene takes it: paths differ from process to process."""
    return [student.path(name)]


def told(answer, key):
    """What the scene tells under `key`, as text; a forged reply may tell anything."""
    return str(answer.value.get(key) if isinstance(answer.value, dict) else None)


@check(points=1)
def test_weights_come_back(student, draw):
    """In new objects, load_checkpoint puts every tensor of the model's state back."""
    student.scene("weights_back", folder(student, "weights"), draw.whole(2, 9), draw.normal(6, 4)).agrees(
        say="The model must be as it was when it was saved."
    )


@check(points=1, needs=COMES_BACK)
def test_next_epoch(student, draw):
    """load_checkpoint returns the epoch to go on with."""
    student.scene("next_epoch", folder(student, "next"), [draw.whole(3, 40), 0], draw.normal(1, 3)).agrees()


@check(points=2, needs=COMES_BACK)
def test_optimizer_goes_on(student, draw):
    """2 steps of Adam, new objects, 2 steps: the weights of 4 steps straight."""
    student.scene("steps", folder(student, "steps"), draw.normal(6, 3)).agrees(
        say="4 steps without a stop give the expected values."
    )


@check(points=1, needs=COMES_BACK)
def test_learning_rate_goes_on(student, draw):
    """After a resume, the learning rate falls in the same epochs as without a stop."""
    # Cut after the first fall and not at one, so that a lost optimizer and a lost scheduler both show.
    cut, every = draw.choice([(3, 2), (5, 2), (4, 3), (5, 3)])
    lr, gamma = draw.real(0.01, 0.1), draw.real(0.2, 0.6)
    student.scene("rates_back", folder(student, "rates"), cut, lr, every, gamma, draw.normal(1, 3)).agrees(
        say="A training without a stop has these learning rates."
    )


@check(points=2, needs="test_optimizer_goes_on")
def test_noise_goes_on(student, draw):
    """After a resume, shuffling and dropout draw the numbers that would have come next."""
    ones = draw.uniform(4, 6, low=1.0, high=2.0)
    student.scene("noise_back", folder(student, "noise"), draw.whole(1, 60), ones).agrees(
        say="The same model in train mode, had it not been stopped, draws the expected values."
    )


@check(points=2)
def test_plain_file(student, draw):
    """The file opens with weights_only=True, and load_checkpoint opens it in no other way."""
    found = student.scene("plain", folder(student, "plain"), draw.whole(1, 30), draw.normal(4, 3))
    if told(found, "holds something of"):
        fail(
            "torch.load(path, weights_only=True) refuses your file: it holds something of "
            f"{told(found, 'holds something of')[:40]} that is neither a tensor nor a plain value."
        )
    if found.expected != found.value:
        fail("load_checkpoint was given a file with code hidden in it, and the code ran.")


@check(points=1, needs=COMES_BACK)
def test_file_from_gpu(student, draw):
    """A checkpoint that was written on a GPU loads on a machine that lacks it."""
    student.scene("move_devices", folder(student, "gpu"), draw.normal(4, 3)).agrees()


@check(points=1, needs=COMES_BACK)
def test_misfit_is_refused(student, draw):
    """A checkpoint whose names are not the model's is refused with an error."""
    one, two, three = (draw.word(5) + letter for letter in "abc")
    misfit = student.scene("misfit", folder(student, "misfit"), (one, two), (one, three), draw.normal(1, 3))
    if misfit.expected != misfit.value:
        fail(
            f"The checkpoint has the layers {one} and {two}, the model {one} and {three}. "
            "load_checkpoint raised no error."
        )


@check(points=2, needs=COMES_BACK)
def test_failed_save(student, draw):
    """When a save fails midway, the caller is told, and the old checkpoint still loads."""
    found = student.scene("fail_midway", folder(student, "failing"), draw.whole(1, 30), draw.normal(4, 3))
    if told(found, "the error reached the caller") != "True":
        fail("The disk was full in the middle of save_checkpoint, and the caller got no error.")
    if told(found, "loads") != "True":
        fail("The disk was full in the middle of a save, and now the file under the final name cannot be loaded.")
    found.agrees(say="The save of the epoch after it failed, so the older checkpoint must still be there.")


@check(points=1)
def test_always_whole(student, draw):
    """At every moment the final name is the old checkpoint or the new one, and nothing else is left behind."""
    seen = student.scene("watch_save", folder(student, "watched"), draw.normal(4, 3))
    if "part" in told(seen, "seen"):
        fail("During save_checkpoint there was a moment when the final name was a half-written file.")
    if "nothing" in told(seen, "seen"):
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
    cases = [numbers(draw), numbers(draw), ([], [], ["notes.txt"])]
    student.scene("list_saved", folder(student, "listed"), cases).agrees()


@check(points=1, needs="test_saved_epochs")
def test_keep_last(student, draw):
    """keep_last leaves the k newest checkpoints and every other file."""
    # There are five: fewer stay, all, and more than there are.
    cases = [(*numbers(draw), k) for k in (2, 1, 5, 7)]
    student.scene("prune", folder(student, "pruned"), cases).agrees()


@check(points=1, needs=TRAINS)
def test_train_from_start(student, draw):
    """In a new folder, training runs all epochs, and saves and tidies up after each."""
    epochs, keep = draw.choice([(2, 1), (3, 2)])
    student.scene("train", folder(student, "start"), draw.word(), epochs, keep, 2, draw.normal(5, 3)).agrees()


@check(points=1, needs=TRAINS)
def test_train_newest(student, draw):
    """Training goes on from the highest number, and has nothing to do when all epochs are done."""
    older = draw.whole(8, 9)
    student.scene("train_twice", folder(student, "newest"), [older, 10], 12, 2, 3, draw.normal(5, 3)).agrees(
        say=f"The folder held epoch_{older}.pt and epoch_10.pt, and 12 epochs were asked for in all."
    )


@check(points=2, needs=TRAINS)
def test_train_resumes(student, draw):
    """Cut short in the middle of an epoch, training goes on in a new process as if never stopped."""
    cut, name, inputs = draw.whole(1, 2), draw.word(), draw.normal(5, 3)
    epochs = cut + 2
    student.scene("train", folder(student, "cut"), name, epochs, 2, 2, inputs, cut=cut).agrees()
    student.restart()
    student.scene("train", folder(student, "cut"), name, epochs, 2, 2, inputs).agrees(
        say=f"The power went in epoch {cut} of {epochs}, so epochs {cut} and {cut + 1} were still to be trained."
    )
