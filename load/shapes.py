"""A course as Locust goes through it."""

from typing import Any

from locust import LoadTestShape

from load.course import Course


class Staged(LoadTestShape):
    """Asks the course each second how many users there should be."""

    abstract = True  # made where a shape is asked for; the plain command line has none

    def __init__(self, course: Course) -> None:
        super().__init__()
        self.course = course

    def tick(self) -> tuple[int, float] | None:
        stage = self.course.at(self.get_run_time())
        return (stage.users, stage.rate) if stage else None

    def close(self) -> None:
        """The run has ended, perhaps before its time."""
        self.course.end(self.get_run_time())


def use(environment: Any, course: Course) -> Staged:
    """Have a run follow a course, though the locustfile names no shape."""
    shape = Staged(course)
    shape.runner = environment.runner
    environment.shape_class = shape
    return shape
