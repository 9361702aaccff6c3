"""What a training is made of: everything that, with the data and the seed, decides the weights."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stage:
    """Epochs at one input size (pixels, a multiple of 32)."""

    size: int
    epochs: int


@dataclass(frozen=True)
class Recipe:
    """Rates are per step; sizes in pixels; decay is decoupled (Loshchilov & Hutter, ICLR 2019)."""

    network: str = "mobilenet_v2"
    stages: tuple[Stage, ...] = field(default_factory=lambda: (Stage(96, 3), Stage(128, 6)))
    batch_size: int = 32
    learning_rate: float = 6e-4
    warmup_steps: int = 400
    weight_decay: float = 0.02
    clip: float = 1.0
    dropout: float = 0.3
    label_smoothing: float = 0.05
    seed: int = 7

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    @property
    def size(self) -> int:
        """The input size of the finished network."""
        return self.stages[-1].size

    def size_at(self, epoch: int) -> int:
        """The input size in epoch `epoch`, counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size
            epoch -= stage.epochs
        raise IndexError(epoch)
