#!/bin/bash
# A stand-in for plutil, made by edge-relay's simulator: -lint, -convert xml1|json and -extract, of XML property lists
# (see plutil.ts). Not there: binary ones, -replace, -insert, -remove.
state=@STATE@
. @COMMON@
note plutil "$@"
misbehave plutil
exec @NODE@ @PLUTIL@ "$@"
