"""Sinks get the public messages of a deployment, each in a process of its own; other packages add some."""

from posebus.sinks.base import Sender as Sender
from posebus.sinks.base import SendOutcome as SendOutcome
from posebus.sinks.base import SendResult as SendResult
from posebus.sinks.base import Sink as Sink
from posebus.sinks.base import SinkContext as SinkContext
from posebus.sinks.base import SinkSpec as SinkSpec
