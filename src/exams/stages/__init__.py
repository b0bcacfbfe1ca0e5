"""One module per notebook: what must not be got wrong, as small as its notebook allows."""

import pandas as pd

pd.options.display.max_colwidth = 160  # a report shows its words in full
