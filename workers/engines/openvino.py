"""OpenVINO on the CPU: asynchronous requests of one frame each.

One request per frame costs nothing on a CPU, and makes the result for a frame independent of other frames in a batch.
Each request has one thread, and there are as many requests as threads, so that the result does not depend on the number
of threads either. A live frame that arrives while the engine is idle gets all threads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from posebus.errors import EngineError
from workers.detections import Detections, Head, ImageArray, Limits
from workers.engines.openvino_import import import_openvino
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.outputs.mask_output import people_in
from workers.weights.compiled import compiled_folder, drop_oldest_compiled
from workers.weights.export import locked

SETUPS_KEPT = 8
"""Compiled networks that are always kept; each frame shape has up to two of them."""
MAX_COMPILED_BYTES = 1_500_000_000
"""More than these are kept while all together are smaller than this by `compiled_bytes`. With `imgsz: auto` a camera
needs one for each size, and no frame is inferred during the 0.3 s that compiling one takes."""
NETWORK_BYTES = 45_000_000
INPUT_PIXEL_BYTES = 46
"""Memory of a compiled yolo11n-pose in fp32: for its weights, which compiled networks do not share, and for each input
pixel in each of its streams. Measured: resident memory grew by 59, 69, 79, 99 and 129 MB for 416x256, 640x384, 800x480,
1024x576 and 1280x736 with two streams, and by 45, 51, 62, 69 and 88 MB with one."""


class _Setup(NamedTuple):
    """What a network is compiled for: a frame shape, and whether a frame gets all threads (`alone`) or one of them.

    One thread per frame has the best throughput; all threads for one frame the best latency, half as long on two cores.
    The result is the same.
    """

    height_px: int
    width_px: int
    alone: bool


def compiled_bytes(height_px: int, width_px: int, streams: int) -> int:
    """Return the approximate memory of a network compiled for this input."""
    return NETWORK_BYTES + INPUT_PIXEL_BYTES * height_px * width_px * streams


class OpenVINOEngine:
    """An `Engine` for an exported ONNX file, or for an 8-bit graph that was made of one.

    It compiles the network once per frame shape (0.3 s) and keeps the most recently used ones.
    """

    name = "openvino"
    device = "cpu"
    batch = 1

    def __init__(self, path: Path, head: Head, limits: Limits, precision: str, threads: int) -> None:
        self._ov = import_openvino()
        self._core = self._ov.Core()
        self._path = path
        self._threads = threads
        self._network: Any = None
        self._queues: OrderedDict[_Setup, Any] = OrderedDict()
        self._limits = limits
        self.head = head
        self.precision = precision
        # More than there are threads, so that the next frames already wait in the device while results are handed over.
        self.in_flight = threads + max(1, threads // 2)

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        """See `Engine.prepare`."""
        return fit.apply(picture.rgb(fit.resized_px))

    def submit(self, prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`; blocks while `in_flight` requests of this shape are in flight."""
        (image_rgb,) = prepared
        future: Future[list[Detections]] = Future()
        alone = low_latency and self._threads > 1
        queue = self._queue(_Setup(image_rgb.shape[0], image_rgb.shape[1], alone))
        try:
            # Not copied: the request keeps a reference to the picture until it is done.
            queue.start_async({0: image_rgb[None]}, (future, image_rgb), share_inputs=True)
        except RuntimeError as error:
            # This may be the error of an earlier request, whose future stays open: this worker must not continue.
            raise EngineError(f"OpenVINO failed: restart the worker ({str(error).strip().splitlines()[-1]})") from error
        return future

    def close(self) -> None:
        """See `Engine.close`."""
        while self._queues:
            self._queues.popitem()[1].wait_all()

    def _queue(self, setup: _Setup) -> Any:
        if setup not in self._queues:
            self._make_room(setup)
            self._queues[setup] = self._compile(setup)
        self._queues.move_to_end(setup)
        return self._queues[setup]

    def _make_room(self, setup: _Setup) -> None:
        """Drop the least recently used setups until there is room for one more."""

        def size_bytes(one: _Setup) -> int:
            return compiled_bytes(one.height_px, one.width_px, 1 if one.alone else self._threads)

        while len(self._queues) >= SETUPS_KEPT:
            if sum(map(size_bytes, [*self._queues, setup])) <= MAX_COMPILED_BYTES:
                return
            self._queues.popitem(last=False)[1].wait_all()

    def _compile(self, setup: _Setup) -> Any:
        height_px, width_px, alone = setup
        options = {
            "INFERENCE_PRECISION_HINT": self._hint(),
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1 if alone else self._threads,
            # With pinning, the threads of all workers on a host would share the same first cores.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            compiled = self._compiled(self._graph(height_px, width_px), options)
            queue = self._ov.AsyncInferQueue(compiled, self.in_flight)
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO cannot run {self._path.name} at {width_px}x{height_px}: delete the file so that it is "
                f"exported again ({str(error).strip().splitlines()[-1]})"
            ) from error
        queue.set_callback(self._hand_over)
        return queue

    def _compiled(self, graph: Any, options: dict[str, Any]) -> Any:
        """Return the graph compiled for this CPU, from the cache on disk if it was compiled before.

        Compiling takes 0.3 s, and two seconds for an 8-bit graph; reading what was compiled takes half of that or less.
        """
        # Under a lock, because OpenVINO would read a file that another process is still writing. A file that is
        # damaged, by a crash, or cannot be written must not keep a worker from starting.
        with suppress(RuntimeError, OSError), locked(self._path):
            folder = compiled_folder(self._path)
            drop_oldest_compiled(folder)
            return self._core.compile_model(graph, "CPU", options | {"CACHE_DIR": str(folder)})
        return self._core.compile_model(graph, "CPU", options)

    def _hint(self) -> str:
        """Return the arithmetic of the floating-point layers; 8-bit layers are marked in the graph itself."""
        if self.precision == "int8":
            return "bf16" if cpu_has_bf16() else "f32"
        return {"fp32": "f32", "bf16": "bf16"}[self.precision]

    def _graph(self, height_px: int, width_px: int) -> Any:
        """Return the network for u8 RGB rows; conversion, layout and division by 255 are part of the graph."""
        ov = self._ov
        if self._network is None:
            self._network = self._core.read_model(str(self._path))
        model = self._network.clone()
        model.reshape([1, 3, height_px, width_px])
        if self.head.end_to_end:
            _split_instead_of_slices(model)
        steps = ov.preprocess.PrePostProcessor(model)
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        steps.input().model().set_layout(ov.Layout("NCHW"))
        steps.input().preprocess().convert_element_type(ov.Type.f32).scale(255.0)
        return steps.build()

    def _hand_over(self, request: Any, waiting: tuple[Future[list[Detections]], ImageArray]) -> None:
        """Runs in OpenVINO's thread: reads the people from the request's buffer before the next frame overwrites it.

        Copying the whole output would take as long.
        """
        future, _ = waiting
        try:
            outputs = [tensor.data[0] for tensor in request.output_tensors]
            future.set_result([people_in(outputs, self.head, self._limits)])
        except Exception as error:  # noqa: BLE001 - any error must reach the caller who waits, and not OpenVINO
            future.set_exception(error)


def _split_instead_of_slices(model: Any) -> None:
    """Replace the slices into which an end-to-end head cuts its rows by one split into the same pieces.

    OpenVINO (2026.4 at least) optimises such slices away, and then rejects the graph for its shapes.
    """
    from openvino import opset13

    slices: dict[Any, list[Any]] = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Slice" and node.output(0).partial_shape.is_static:
            source = node.input_value(0)
            slices.setdefault((source.get_node().friendly_name, source.get_index()), []).append(node)
    for pieces in slices.values():
        source = pieces[0].input_value(0)
        pieces.sort(key=lambda piece: int(piece.input_value(1).get_node().data[0]))
        lengths = [piece.output(0).shape[-1] for piece in pieces]
        feeds_gather = any(
            target.get_node().get_type_name() == "GatherElements"
            for piece in pieces
            for target in piece.output(0).get_target_inputs()
        )
        if feeds_gather and sum(lengths) == source.shape[-1]:
            split = opset13.variadic_split(source, len(source.shape) - 1, lengths)
            for index, piece in enumerate(pieces):
                piece.output(0).replace(split.output(index))


def cpu_has_bf16() -> bool:
    """Whether this CPU computes bf16 natively; elsewhere OpenVINO would be slower with it, not faster."""
    return "BF16" in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
