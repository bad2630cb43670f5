"""The command line of a tap: one sentence for an error that its user can mend, and an honest exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

import requests
from singer_sdk.exceptions import SingerSDKError
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_common.clock import StoppedError

if TYPE_CHECKING:
    from typing import NoReturn


class TapCommand(SingerCommand):
    """The SDK's command, ended without a traceback by errors that carry their own sentence."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except SingerSDKError as error:
            self._end(str(error) or type(error).__name__)
        except StoppedError:
            self._end("Stopped.")
        except requests.RequestException as error:
            # The text of a transport error may quote the request; its type says enough.
            self._end(f"The API could not be reached ({type(error).__name__}): check `api_url` and the network.")
        except BrokenPipeError:
            # Python would complain once more when it flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._end("The target closed the pipe; its own messages say why.")

    def _end(self, sentence: str) -> NoReturn:
        self.logger.error("%s", sentence)
        if self.logger.isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        sys.exit(1)
