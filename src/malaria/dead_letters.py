"""What AWS could not deliver, or a function failed on for good: told, and done again when asked.

Dead letters of the queue of uploads, and events and calls that never reached their function, both come again
through that one queue. Whatever is done twice is done once, so a letter is sent first and removed then.
"""

from dataclasses import dataclass, replace

from malaria.arrivals import told
from malaria.errors import BadInput
from malaria.ports import Letter, Mailbox

LOOK = "a look at the ledger"
UNKNOWN = "nothing that is known"


@dataclass(frozen=True)
class Retried:
    """sent: letters that come again. left: those that nobody could make anything of. removed: such ones."""

    sent: int = 0
    left: int = 0
    removed: int = 0


def about(letter: Letter) -> str:
    """What a letter stands for: an upload by its key, LOOK, or UNKNOWN.

    What was meant for a function that looks round says nothing that the ledger does not.
    """
    try:
        upload = told(letter.body)
    except BadInput:
        return UNKNOWN if letter.queue == "dead" else LOOK
    return upload.key if upload else LOOK


def listed(mailbox: Mailbox) -> list[Letter]:
    """Every letter, the oldest first. Raises Busy."""
    found = list(mailbox.hold())
    for letter in found:
        mailbox.put_back(letter)
    return sorted(found, key=lambda letter: letter.sent)


def retry(mailbox: Mailbox, *, drop: bool = False) -> Retried:
    """Have every letter seen to again. drop: whether those are removed that nobody can make anything of.

    Raises Busy where a queue fails: what was not removed by then is still there.
    """
    done, looked = Retried(), False
    for letter in list(mailbox.hold()):
        what = about(letter)
        if what == UNKNOWN:
            if drop:
                mailbox.remove(letter)
                done = replace(done, removed=done.removed + 1)
            else:
                mailbox.put_back(letter)
                done = replace(done, left=done.left + 1)
            continue
        if what != LOOK:
            mailbox.send(letter.body)
        elif not looked:
            mailbox.look()
            looked = True
        mailbox.remove(letter)
        done = replace(done, sent=done.sent + 1)
    return done
