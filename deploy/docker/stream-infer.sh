#!/bin/sh
# The command in the image of tools.
exec node /app/packages/cli/src/main.js "$@"
