#!/bin/sh
# Process 1 gets no default signal handlers, so the one that ends it is set here.
trap 'exit 0' TERM INT
httpd -f -p 80 -h /www &
wait $!
