#!/bin/sh
# Sends the answer that `record` wrote for the terminal that asks, or the
# answer for all others.  Apache runs it in the recorder's own folder.
terminal=$(LC_ALL=C sed -n 's/.*TerminalID=\([0-9A-F]*\).*/\1/p' | tail -n 1)
answer=answers/$terminal
[ -f "$answer" ] || answer=answers/default
exec cat "$answer"
