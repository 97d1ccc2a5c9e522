"""From a guided teacher of many steps to a student of few: consistency first, then matching."""
