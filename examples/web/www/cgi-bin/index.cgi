#!/bin/sh
task=$(wget -q -O - "$ECS_CONTAINER_METADATA_URI_V4/task" | sed -n 's/.*"TaskARN":"[^"]*\/\([0-9a-f]*\)".*/\1/p')
# On Fargate there is no instance to name.
[ "$AWS_EXECUTION_ENV" = AWS_ECS_FARGATE ] || instance=$(wget -q -O - http://169.254.169.254/latest/meta-data/instance-id)
message=$(cat /content/message 2>/dev/null)
echo "GET $REQUEST_URI from $REMOTE_ADDR" >/proc/1/fd/1
printf 'Content-Type: text/html\r\n\r\n'
cat <<PAGE
<!doctype html>
<title>Berth: web $VERSION</title>
<h1>web $VERSION</h1>
<p>task $task
${instance:+<p>instance $instance}
${message:+<p>$message}
${DB_PASSWORD:+<p>a secret of ${#DB_PASSWORD} characters}
PAGE
