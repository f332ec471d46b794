#!/bin/sh
# Process 1 gets no default signal handlers, so the one that ends it is set here.
trap 'exit 0' TERM INT
echo "web $VERSION begins${DB_PASSWORD:+, with a secret of ${#DB_PASSWORD} characters}"
httpd -f -p 80 -h /www &
wait $!
