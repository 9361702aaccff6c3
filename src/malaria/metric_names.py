"""Every metric that the application tells CloudWatch, for whoever emits one, draws it or alarms on it.

Each has the deployment as its only dimension, since every value of a dimension is paid as a metric of its
own; what else belongs to a figure, such as the version that served, is a property of the line in the log.
Requests, errors and how long they take are told by AWS itself, and are not repeated here.
"""

from dataclasses import dataclass

NAMESPACE = "Malaria"
DIMENSION = "deployment"


@dataclass(frozen=True, slots=True)
class Metric:
    """unit: CloudWatch's word for it; 'None' for what has none. what: one value of it."""

    name: str
    unit: str
    what: str


PICTURES = Metric("Pictures", "Count", "Pictures answered by one request.")
PARASITIZED = Metric("Parasitized", "Count", "Of these, called parasitized.")
UNINFECTED = Metric("Uninfected", "Count", "Of these, called uninfected.")
NOT_A_CELL = Metric("NotACell", "Count", "Of these, taken for no good cell, so that nothing was said.")
REVIEW = Metric("Review", "Count", "Of these, sent to a person.")
LOW_CONFIDENCE = Metric("LowConfidence", "Count", "Of these, sent to a person because the answer was unsure.")
CONFIDENCE = Metric("Confidence", "None", "Probability of the class that was named, 0.5 to 1, of a picture.")
PREDICT_TIME = Metric("PredictTime", "Milliseconds", "What the network took for the pictures of one request.")
MEMORY = Metric("Memory", "Megabytes", "Memory of the process that answers, as it stands in the machine.")
CPU_TIME = Metric("CpuTime", "Seconds", "Processor time of the process that answers, since it last told.")
COLD_STARTS = Metric("ColdStarts", "Count", "1 for the first call of an instance, else 0.")

FEATURE_DISTANCE = Metric(
    "FeatureDistance",
    "None",
    "How far a picture's features are from those remembered; 1 is what 5 in 100 remembered cells exceed.",
)
IMAGE_DEVIATION = Metric(
    "ImageDeviation",
    "None",
    "Standard deviations by which a picture's brightness or colour, the farther one, is off those learnt.",
)

JOBS_QUEUED = Metric("JobsQueued", "Count", "Jobs that wait, at one look.")
JOBS_RUNNING = Metric("JobsRunning", "Count", "Jobs that run, at one look.")
JOBS_SUCCEEDED = Metric("JobsSucceeded", "Count", "Jobs that came to a verdict.")
JOBS_FAILED = Metric("JobsFailed", "Count", "Jobs that failed.")
JOB_TIME = Metric("JobTime", "Seconds", "From a job's first start to its end.")
PROMOTIONS = Metric("Promotions", "Count", "Versions that were promoted.")
UNACCOUNTED_UPLOADS = Metric("UnaccountedUploads", "Count", "Uploads that had no job for lost_minutes.")

CANARY_OK = Metric("CanaryOk", "Count", "1 where the canary was answered as it should be, else 0.")
CANARY_TIME = Metric("CanaryTime", "Milliseconds", "What the canary waited for one answer.")

ALL = tuple(found for found in list(globals().values()) if isinstance(found, Metric))
