"""How much the tests that try many cases try: a choice of them, or with CSI_PROXY_TESTS=thorough all."""

import os

THOROUGH = os.environ.get("CSI_PROXY_TESTS") == "thorough"
