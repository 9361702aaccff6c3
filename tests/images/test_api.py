"""The image of the functions, started as Lambda starts it: its own entry point, under its own user."""

import base64
import io
import json
from pathlib import Path

import pytest
from PIL import Image as Picture

from infra.local import processes
from infra.local import template as templates
from malaria import cells, preprocess, roles
from malaria.domain import Label, ModelVersion, Role
from malaria.predict import Model
from tests.cloud.conftest import Deployed
from tests.functions.conftest import event
from tests.functions.test_api import NOT_LOADED
from tests.images.buildah import Image

API = "functions.api.handler.handler"


@pytest.fixture(scope="module")
def real(real_cells: Path, models_dir: Path) -> dict[Label, bytes]:
    """Of each class, the first cell of a patient whom no model has learnt from, as PNG."""
    known, found = roles.load(models_dir / "roles.json"), dict[Label, bytes]()
    for cell, data in cells.read(real_cells / "nih-cells-part4.zip"):
        if known.get(cell.patient or "") == Role.GATE and cell.label not in found:
            out = io.BytesIO()
            preprocess.decode(data).save(out, "PNG")
            found[cell.label] = out.getvalue()
    return found


@pytest.fixture(scope="module")
def environment(stack: Deployed) -> dict[str, str]:
    """What the stack tells the function, and the rights of its role."""
    cloud = stack.cloud
    logical = templates.handlers(cloud.template)[API]
    found = cloud.aws.client("lambda").get_function_configuration(FunctionName=cloud.resource(logical))
    return {**found["Environment"]["Variables"], **processes.AWS, **cloud.credentials(found["Role"])}


def test_it_answers_whether_it_is_well(stack: Deployed) -> None:
    call = stack.cloud.functions[API].call(json.dumps(event("http", PATH="/health")).encode())
    told = json.loads(call.answer)
    assert told["statusCode"] == 200, told
    assert json.loads(told["body"])["status"] == "ok"


@pytest.mark.parametrize("label", list(Label))
def test_it_answers_a_real_cell_as_the_model_that_ships(
    stack: Deployed, real: dict[Label, bytes], shipped_info: ModelVersion, shipped_tflite: bytes, label: Label
) -> None:
    told = stack.predict(real[label])
    pixels = preprocess.to_square(Picture.open(io.BytesIO(real[label])), shipped_info.input_size)
    expected = Model(shipped_tflite, shipped_info, 1).score(pixels).probability
    assert told["model_version"] == shipped_info.version
    assert told["prediction"] == label.text
    assert told["probabilities"]["Parasitized"] == pytest.approx(expected, abs=1e-3)


ALONE = """
import base64, importlib.util, json, os, sys
from functions.api.handler import handler
told = handler(json.loads(base64.b64decode(sys.argv[2])), None)
names = sys.argv[1].split(",")

def compiled(module):
    # Whether its bytecode is there, and read without a look at the source's time.
    cached = getattr(module, "__cached__", None) or ""
    if not cached.startswith("/opt/"):
        return True
    return os.path.exists(cached) and open(cached, "rb").read(8)[4:] == bytes([1, 0, 0, 0])

print(json.dumps({
    "status": told["statusCode"],
    "loaded": sorted(set(sys.modules) & set(names)),
    "there": [name for name in ("tensorflow", "keras", "scipy", "sklearn") if importlib.util.find_spec(name)],
    "not compiled": [name for name, module in sorted(sys.modules.items()) if not compiled(module)],
    "user": os.getuid(),
    "writable": [folder for folder in ("/app", "/opt/malaria") if os.access(folder, os.W_OK)],
}))
"""


def test_a_prediction_loads_neither_boto3_nor_tensorflow_and_compiles_nothing(
    api: Image, environment: dict[str, str], real: dict[Label, bytes]
) -> None:
    asked = event("http", PATH="/predict")
    asked["requestContext"]["http"]["method"] = "POST"
    asked["headers"]["content-type"] = "multipart/form-data; boundary=x"
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = head + real[Label.PARASITIZED] + b"\r\n--x--\r\n"
    asked = {**asked, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    told = json.loads(
        api.python(
            ALONE,
            arguments=[",".join(NOT_LOADED), base64.b64encode(json.dumps(asked).encode()).decode()],
            environment={**environment, "MALARIA_ACCESS": "open"},
        ).splitlines()[-1]
    )
    nobody = {"user": 65534, "writable": []}
    assert told == {"status": 200, "loaded": [], "there": [], "not compiled": [], **nobody}
    assert api.config["User"] == "65534:65534"


@pytest.mark.parametrize("name", ["on_upload", "on_job_change", "reconcile", "canary"])
def test_it_holds_every_function(api: Image, environment: dict[str, str], name: str) -> None:
    code = f"import functions.{name}.handler as found; print(callable(found.handler))"
    told = {**environment, "MALARIA_AWS_CANARY_URL": "http://127.0.0.1:9"}
    assert api.python(code, environment=told) == "True"
