"""Home: the timeline from 1998 to 2023, ceiling by ceiling."""

from explorer.ui import page

here = page.begin()
