"""Every error that posebus raises on purpose, in one tree. The branch says what the program does about it.

    PoseBusError
    ├── RetryableError          wait (backoff) and try the same step again
    │   ├── BrokerUnavailable   the broker is down, loading, full or a replica, or the connection broke
    │   ├── SourceUnavailable   a camera does not answer or stopped sending
    │   │   └── LoginRefused    a camera refuses user or password; frequent attempts might lock the account
    │   ├── DeploymentUnavailable  a deployment that runs on this machine does not answer at its control socket
    │   ├── SinkFailed          a sink did not handle a message, and gets it again
    │   └── SourceChanged       a recording changed since its frames were published: play it from its beginning
    ├── PoisonError             no attempt at this item can succeed: dead-letter it and continue with the next one
    │   ├── MalformedMessage    a stream entry or stored value does not follow the contract
    │   └── BadPicture          bytes do not decode to a picture within the size limits
    ├── CameraLost              give up this camera; the process keeps its other cameras, or stands by for this one
    │   └── LeaseLost           another process holds the camera's lease; this one must not write
    ├── RestartableError        a worker that has inferred frames exits to be restarted; one that has not stops for good
    │   └── EngineError         an inference engine cannot be built or loaded, or broke while it was in use
    └── FatalError              stop with the message: trying again cannot help
        ├── ConfigError         the configuration or the command line contains a mistake
        ├── BrokerRefused       wrong password, missing rights, an unsupported broker, or foreign data under our keys
        ├── SourceRejected      it is not a video, has no frames, or its address cannot be used
        │   └── SourceMissing   there is no such file, or it cannot be read now: a deployment tries again, a run refuses
        ├── WeightsError        weights are missing, have the wrong hash, or are not of a pose model
        └── OutputError         a folder or file cannot be written

Every message is one sentence that says what is wrong, where, and what to do. No message contains credentials: pass
addresses through `posebus.config.redaction.redact_url` first.
"""

from __future__ import annotations


class PoseBusError(Exception):
    """Root of all errors that posebus raises on purpose; `str(error)` can be shown to users.

    camera: name of the camera concerned; entry_id: Redis ID of the stream entry concerned. Each is None where the error
    does not concern one, or where the code that raised it does not know which.
    """

    def __init__(self, *args: object, camera: str | None = None, entry_id: str | None = None) -> None:
        super().__init__(*args)
        self.camera = camera
        self.entry_id = entry_id


class RetryableError(PoseBusError):
    """The same step may succeed later."""


class BrokerUnavailable(RetryableError):
    """The broker cannot be reached, or cannot serve requests at the moment."""


class SourceUnavailable(RetryableError):
    """A live source does not answer or stopped sending."""


class SinkFailed(RetryableError):
    """A sink raised an error for a message; it gets the same message again."""


class SourceChanged(RetryableError):
    """A recording to be resumed no longer contains the frames that were published from it."""


class DeploymentUnavailable(RetryableError):
    """A deployment on this machine does not answer at its control socket."""


class LoginRefused(SourceUnavailable):
    """A live source refuses user or password. Wait long before the next attempt: cameras lock accounts."""


class PoisonError(PoseBusError):
    """One item cannot be processed, however often that is tried."""


class MalformedMessage(PoisonError):
    """A stream entry or stored value does not follow the contract in `posebus.messages`."""


class BadPicture(PoisonError):
    """Bytes do not decode to a picture within the size limits."""


class CameraLost(PoseBusError):
    """This process has to give up the camera; it keeps running."""


class LeaseLost(CameraLost):
    """Another process holds the lease of this camera, so nothing was written."""


class RestartableError(PoseBusError):
    """This process cannot continue, but a new one may, since the failure can be the effect of one frame.

    A worker that has inferred frames exits with `EXIT_STUCK`, so that it is restarted. One that has not stops as for a
    FatalError: the cause is then this machine or its configuration.
    """


class EngineError(RestartableError):
    """An inference engine cannot be built or loaded on this machine, or broke while it was in use."""


class FatalError(PoseBusError):
    """The process has to stop; trying again cannot help."""


class ConfigError(FatalError):
    """The configuration or the command line contains a mistake."""


class BrokerRefused(FatalError):
    """The broker refuses to serve posebus: wrong password, missing rights, wrong version, or foreign data."""


class SourceRejected(FatalError):
    """A source can never deliver frames: it is not a video, has no frames, or its address cannot be used."""


class SourceMissing(SourceRejected):
    """There is no such file or folder, it is empty, or it cannot be read now; it may be there later.

    The ingest of a deployment waits and tries again. Where a source is analysed once, it is rejected.
    """


class WeightsError(FatalError):
    """Weights are missing, have an unexpected hash, or are not of a pose model."""


class OutputError(FatalError):
    """An output folder or file cannot be written."""
