"""The key by which a deployment asks itself whether it answers.

It may predict and nothing else. Its text lies in one object, which the API makes, since the API alone may
change keys, and which the canary alone reads beside it. The object comes first and is made once; only then is
its digest put among the keys. So processes that start at the same moment agree on one text, and one that was
killed between the two is made good by the next. Withdraw it for good by setting canary_minutes=0 first.
"""

import contextlib
import logging

from malaria.domain import Scope
from malaria.errors import AlreadyExists, Conflict, MalariaError, NotFound
from malaria.keys import Keys, new_text
from malaria.ports import ObjectStore

log = logging.getLogger(__name__)

NAME = "canary"
OBJECT = "private/canary.key"


def provide(objects: ObjectStore, keys: Keys) -> None:
    """See that there is a key, and that it is let in. Never raises: pictures are answered without it, and the
    canary tells that it is shut out."""
    try:
        try:
            text = read(objects)
        except NotFound:
            with contextlib.suppress(AlreadyExists):  # another was first
                objects.create(OBJECT, new_text().encode())
            text = read(objects)
        keys.admit(NAME, text, (Scope.PREDICT,))
    except Conflict:
        log.info("somebody changes the keys; the next start looks at the canary's again")
    except MalariaError:
        log.warning("the canary's key could not be seen to", exc_info=True)


def read(objects: ObjectStore) -> str:
    """Its text. Raises NotFound where no API has started yet."""
    return objects.get(OBJECT).decode("ascii", "replace").strip()
