"""Every error a person can meet, drawn as one tree.

MalariaError
|-- BadInput                  400  what was sent cannot be used; the text says how to mend it
|   |-- UnreadableImage       422
|   |-- ImageTooSmall         422
|   |-- ImageTooLarge         413
|   |-- UploadTooLarge        413
|   |-- BadArchive            422
|   |-- BadOptions            422  retrain options, thresholds, names
|   |-- BadLayout             422  a folder or ZIP without Parasitized/ and Uninfected/
|   `-- BadPredictionId       422  not signed here, or altered
|-- NotFound                  404
|   |-- UnknownTask
|   `-- UnknownVersion
|-- Conflict                  409  the state of things forbids it
|   |-- AlreadyExists
|   |-- JobFinished
|   |-- NothingNew                 an upload of cells that were learnt from
|   |-- NoBaseImages               what `full` trains from
|   `-- PatientOverlap             one patient on both sides of a split
|-- Unauthorized              401  nobody is known by the key that was sent, or none was
|-- Forbidden                 403
|-- TooManyRequests           429  beyond what this caller may ask; it knows when to come back
|   `-- TooManyPictures
|-- Cancelled                 409  a person asked a job to stop
|-- MissingPart               501  an optional part is not installed; the text names the command
|-- Busy                      503  try again later
|   `-- Interrupted                a process must end; its work goes on later
|       `-- JudgedApart            uploads that do not stand together run alone
`-- Damaged                   500  stored data fail their own checks
    `-- ModelUnusable         503  no model can be served
"""


class MalariaError(Exception):
    """A problem with a stable `code`, an HTTP `status` and a message for a person."""

    status = 500
    title = "Something went wrong"

    @property
    def code(self) -> str:
        """The error's kebab-case name, stable across releases."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


class BadInput(MalariaError):
    status = 400
    title = "The input cannot be used"


class UnreadableImage(BadInput):
    status = 422
    title = "The picture cannot be read"


class ImageTooSmall(BadInput):
    status = 422
    title = "The picture is too small"


class ImageTooLarge(BadInput):
    status = 413
    title = "The picture is too large"


class UploadTooLarge(BadInput):
    status = 413
    title = "The upload is too large"


class BadArchive(BadInput):
    status = 422
    title = "The ZIP cannot be used"


class BadOptions(BadInput):
    status = 422
    title = "A setting of the request is wrong"


class BadLayout(BadInput):
    status = 422
    title = "The labelled folders were not found"


class BadPredictionId(BadInput):
    status = 422
    title = "The prediction id is not one of this server's"


class NotFound(MalariaError):
    status = 404
    title = "Not found"


class UnknownTask(NotFound):
    title = "No such task"


class UnknownVersion(NotFound):
    title = "No such model version"


class Conflict(MalariaError):
    status = 409
    title = "The present state forbids it"


class AlreadyExists(Conflict):
    title = "It exists already"


class JobFinished(Conflict):
    title = "The job has ended"


class NothingNew(Conflict):
    title = "There is nothing new in it"


class NoBaseImages(Conflict):
    title = "The base images are not there"


class PatientOverlap(Conflict):
    title = "A patient stands on both sides of a split"


class Cancelled(Conflict):
    title = "Cancelled"


class Unauthorized(MalariaError):
    status = 401
    title = "A key is needed"


class Forbidden(MalariaError):
    status = 403
    title = "Not allowed"


class TooManyRequests(MalariaError):
    """retry_after: seconds after which the same may be asked again."""

    status = 429
    title = "Too many requests"

    def __init__(self, text: str, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class TooManyPictures(TooManyRequests):
    title = "Too many pictures"


class MissingPart(MalariaError):
    status = 501
    title = "An optional part is not installed"


def how_to_add(*extras: str) -> str:
    """The one command that brings optional parts, for the text of a MissingPart."""
    flags = " ".join(f"--extra {extra}" for extra in extras)
    package = f"malaria[{','.join(extras)}]"
    return f"run `scripts/uv sync --inexact {flags}` in a checkout, or `pip install '{package}'` elsewhere"


class Busy(MalariaError):
    status = 503
    title = "Too busy, try again"


class Interrupted(Busy):
    title = "Interrupted"


class JudgedApart(Interrupted):
    title = "Judged apart"


class Damaged(MalariaError):
    title = "Stored data are damaged"


class ModelUnusable(Damaged):
    status = 503
    title = "No model can be served"
