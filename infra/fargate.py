"""What a task on Fargate can be: so many processors, and the memory that goes with them."""

SIZES = {1024: (2, 8, 1), 2048: (4, 16, 1), 4096: (8, 30, 1), 8192: (16, 60, 4), 16384: (32, 120, 8)}
"""By CPU units: the least and the most GB of memory, and the step between."""


def wrong(name: str, cpu: int, memory: int) -> str | None:
    """Why a task cannot be so, in the words of its settings; None where it can. name: 'adapt' or 'full'."""
    if cpu not in SIZES:
        return f"{name}_cpu={cpu}: Fargate knows {', '.join(map(str, SIZES))}"
    least, most, step = SIZES[cpu]
    if least <= memory <= most and (memory - least) % step == 0:
        return None
    steps = f", in steps of {step}" if step > 1 else ""
    return f"{name}_memory={memory}: with {name}_cpu={cpu} it must be {least} to {most} GB{steps}"
