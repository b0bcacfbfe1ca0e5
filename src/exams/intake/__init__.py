"""From a delivered file to judged records: reading, rules, parts on disk."""
