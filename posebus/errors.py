"""Every error posebus raises, in one tree.

    PoseBusError
    ├── RetryableError          the loop waits (backoff) and tries the same thing again
    │   ├── BrokerUnavailable   the broker is down, loading, full, a replica, or the connection broke
    │   ├── SourceUnavailable   a camera does not answer, or stopped sending
    │   │   └── LoginRefused    a camera refuses user or password: asking often might lock the account
    │   └── SourceChanged       a recording is not the one that was begun: it is played from its beginning
    ├── PoisonError             this one item can never succeed: dead-letter it and go on
    │   ├── MalformedMessage    a stream entry that does not follow the contract
    │   └── BadPicture          bytes that are no picture, or a picture over the size limit
    └── FatalError              nothing that the loop does can help: stop with a sentence
        ├── ConfigError         a mistake in the configuration or on the command line
        ├── BrokerRefused       wrong password, missing rights, a broker that is too old, or somebody else's keys in it
        ├── SourceRejected      no such file, not a video, no frames
        ├── WeightsError        weights missing, of the wrong hash, or no pose model
        ├── EngineError         the inference engine cannot be built or loaded here
        ├── OutputError         a folder or file that cannot be written
        └── LeaseLost           another process owns the camera now; this one must not write

Every message is one sentence that says what was wrong, where, and what to do. Credentials never appear in it: pass
addresses through `posebus.config.settings.redact_url` first.
"""


class PoseBusError(Exception):
    """Root of all errors raised on purpose by posebus; `str(error)` is fit to show to a user."""


class RetryableError(PoseBusError):
    """The same action may succeed later."""


class BrokerUnavailable(RetryableError):
    """The broker cannot be reached at the moment."""


class SourceUnavailable(RetryableError):
    """A live source does not answer or stopped sending."""


class SourceChanged(RetryableError):
    """A recording that was to be resumed does not have the pictures any more that were published of it."""


class LoginRefused(SourceUnavailable):
    """A live source refuses user or password. Cameras lock accounts that are tried too often: wait long."""


class PoisonError(PoseBusError):
    """One item cannot be processed, however often it is tried."""


class MalformedMessage(PoisonError):
    """A stream entry does not follow the contract in `posebus.messages`."""


class BadPicture(PoisonError):
    """Bytes that do not decode to a picture within the limits."""


class FatalError(PoseBusError):
    """The process has to stop; trying again would not help."""


class ConfigError(FatalError):
    """A mistake in the configuration or on the command line."""


class BrokerRefused(FatalError):
    """The broker answered and said no: wrong password, missing rights, too old, or somebody else's keys in it."""


class SourceRejected(FatalError):
    """A source that can never deliver: a missing file, no video, no frame in it."""


class WeightsError(FatalError):
    """Weights that are missing, of an unexpected hash, or not of a pose model."""


class EngineError(FatalError):
    """An inference engine that cannot be built or loaded on this machine."""


class OutputError(FatalError):
    """An output folder or file that cannot be written."""


class LeaseLost(FatalError):
    """Another process holds the lease of this camera now."""
