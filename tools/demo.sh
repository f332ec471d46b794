#!/usr/bin/env bash
# The walkthrough: every command is printed as a person would type it, then run. EXIT=1 ends everything afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${PORT:-4566}
work=$PWD/.berth/demo
export BERTH_DATA=$work/data BERTH_PORT=$port DOCKER_CONFIG=$work/docker-config
# The builder that every Docker Engine has; newer clients warn that it is not the newest.
export DOCKER_BUILDKIT=0
started=$(date +%s)

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
note() { printf '%s# %s%s\n' "$dim" "$*" "$plain"; }
# run COMMAND: shows it, runs it, shows what it printed and keeps that in $said.
run() {
  printf '$ %s\n' "$1"
  said=$(eval "$1")
  [ -z "$said" ] || printf '%s\n' "$said"
}
fail() { printf '\ndemo: %s\n' "$*" >&2; exit 1; }
# until_true SECONDS WHAT COMMAND…: waits for COMMAND to succeed.
until_true() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "$what did not happen in time; the log is $work/berth.log"
    sleep 0.1
  done
}

# The engine's pid, also of one that an earlier walkthrough left running.
engine_pid() { cat "$work/engine/docker.pid" 2>/dev/null; }
end_engine() {
  local pid
  pid=$(engine_pid) || return 0
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  umount "$work"/engine/data/* 2>/dev/null || true
}
finish() {
  local code=$?
  trap - EXIT
  rm -f "$work/polling"
  if [ "${EXIT:-}" = 1 ] || { [ "$code" != 0 ] && [ -z "${KEEP:-}" ]; }; then
    [ "$code" = 0 ] || { echo '--- the end of the log:' >&2; tail -n 30 "$work/berth.log" >&2 || true; }
    ./berth down >/dev/null 2>&1 || true
    end_engine
    [ "$code" != 0 ] || rm -rf "$work"
  fi
  exit "$code"
}

./berth down >/dev/null 2>&1 || true
end_engine
rm -rf "$work"
mkdir -p "$work"
trap finish EXIT
trap 'exit 130' INT TERM

# docker build and docker push need an engine of the user's own; where none runs, the demo brings one.
if ! docker info >/dev/null 2>&1; then
  mkdir -p "$work/engine"
  export DOCKER_HOST=unix://$work/engine/docker.sock
  PATH=$PATH:/usr/sbin:/sbin dockerd --bridge=none --iptables=false --ip-forward=false --ip-masq=false -H "$DOCKER_HOST" \
    --data-root "$work/engine/data" --exec-root "$work/engine/run" --pidfile "$work/engine/docker.pid" \
    >"$work/engine/log" 2>&1 </dev/null &
  until_true 30 'the start of Docker' docker info
fi

step '1. Start the control plane and point the AWS CLI at it'
control_plane() { ./berth up >>"$work/berth.log" 2>&1 </dev/null & disown; }
printf '$ ./berth up &\n'
control_plane
until_true 20 'the start of Berth' grep -q '^ready ' "$work/berth.log"
grep '^ready ' "$work/berth.log"
printf '$ eval "$(./berth env)"\n'
eval "$(./berth env)"
run 'aws sts get-caller-identity --query Arn --output text'

step '2. Push an image to the registry'
run 'aws ecr create-repository --repository-name web --query repository.repositoryUri --output text'
note 'a base image from this machine, as Docker Hub need not be reachable'
mkdir -p "$work/base/bin" "$work/base/tmp"
cp "$(command -v busybox)" "$work/base/bin/busybox"
for applet in $("$work/base/bin/busybox" --list); do [ "$applet" = busybox ] || ln -sf busybox "$work/base/bin/$applet"; done
run 'tar -C .berth/demo/base -c . | docker import - busybox:local >/dev/null'
for version in v1 v2; do
  run "docker build --quiet --build-arg BASE=busybox:local --build-arg VERSION=$version -t localhost:$port/web:$version examples/web 2>/dev/null"
done
run "aws ecr get-login-password | docker login --username AWS --password-stdin localhost:$port 2>/dev/null"
for version in v1 v2; do run "docker push --quiet localhost:$port/web:$version"; done

step '3. Create a cluster'
run 'aws ecs create-cluster --cluster-name demo --query cluster.[clusterName,status] --output text'

step '4. Launch two EC2 instances; each is a real host with its own Docker and agent'
run "aws ec2 run-instances --count 2 --instance-type t3.small --user-data 'ECS_CLUSTER=demo' --query 'Instances[].[InstanceId,State.Name]' --output text"
both_registered() { [ "$(aws ecs list-container-instances --cluster demo --filter 'agentConnected == true' --query 'length(containerInstanceArns)')" = 2 ]; }
until_true 30 'the registration of both instances' both_registered
run 'aws ecs list-container-instances --cluster demo --query containerInstanceArns --output text'
run "aws ec2 describe-instances --query 'Reservations[].Instances[].[InstanceId,State.Name,PrivateIpAddress,PublicIpAddress,PublicDnsName]' --output table"
hosts=($(grep -o 'ec2-[^ ]*' <<<"$said"))
ids=$(grep -o 'i-[0-9a-f]\{17\}' <<<"$said" | tr '\n' ' ')

step '5. Register a task definition'
for version in v1 v2; do sed "s/localhost:4566/localhost:$port/" "examples/web-$version.json" >"$work/web-$version.json"; done
run "aws ecs register-task-definition --cli-input-json file://.berth/demo/web-v1.json --query taskDefinition.taskDefinitionArn --output text"

step '6. Create a service, spread over the instances'
run 'aws ecs create-service --cluster demo --service-name web --task-definition web --desired-count 2 --placement-strategy type=spread,field=instanceId --query service.[serviceName,status,desiredCount] --output text'
service_counts() { aws ecs describe-services --cluster demo --services web --query "services[0].[runningCount,length(deployments)]" --output text; }
both_running() { [ "$(service_counts)" = $'2\t1' ]; }
until_true 60 'the start of the tasks' both_running
run 'aws ecs wait services-stable --cluster demo --services web'

step '7. From a task to its page: task, container instance, EC2 instance, port'
run "aws ecs list-tasks --cluster demo --service-name web --query 'taskArns' --output text"
task=$(cut -f1 <<<"$said")
run "aws ecs describe-tasks --cluster demo --tasks ${task##*/} --query 'tasks[0].[containerInstanceArn,containers[0].networkBindings[0].hostPort,containers[0].runtimeId]' --output text"
read -r instance_arn host_port runtime_id <<<"$said"
run "aws ecs describe-container-instances --cluster demo --container-instances ${instance_arn##*/} --query 'containerInstances[0].ec2InstanceId' --output text"
instance=$said
run "aws ec2 describe-instances --instance-ids $instance --query 'Reservations[0].Instances[0].PublicDnsName' --output text"
name=$said
run "curl -s http://$name:$host_port/"
[[ $said == *'web v1'* && $said == *"${task##*/}"* && $said == *"$instance"* ]] || fail 'the page does not name its version, task and instance'

step '8. Break things'
note "a container is killed with the instance's own Docker, behind Berth's back"
socket=$(./berth docker-host "$instance")
run "docker -H $socket kill ${runtime_id:0:12}"
replaced() {
  local now
  now=$(aws ecs list-tasks --cluster demo --service-name web --query 'taskArns' --output text)
  [ "$(wc -w <<<"$now")" = 2 ] && [[ $now != *"$task"* ]] && both_running
}
until_true 30 'the replacement of the killed task' replaced
run "aws ecs describe-services --cluster demo --services web --query 'services[0].events[:3].message' --output text | tr '\\t' '\\n'"
note 'the control plane is killed, and the containers do not notice'
containers() { docker -H "$socket" ps --no-trunc --format '{{.ID}} {{.CreatedAt}}'; }
before=$(containers)
control_plane_pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$BERTH_DATA/running.json")
run "kill -9 $control_plane_pid"
: >"$work/berth.log"
printf '$ ./berth up &\n'
control_plane
until_true 20 'the second start of Berth' grep -q '^ready ' "$work/berth.log"
run "docker -H $socket ps --format 'table {{.ID}}\t{{.Status}}\t{{.Names}}'"
[ "$(containers)" = "$before" ] || fail 'containers changed while the control plane was away'

step '9. Deploy a new revision while a client polls both instances'
run "aws ecs register-task-definition --cli-input-json file://.berth/demo/web-v2.json --query taskDefinition.taskDefinitionArn --output text"
touch "$work/polling"
poll() {
  while [ -e "$work/polling" ]; do
    for host in "${hosts[@]}"; do
      answers=$(curl -s --max-time 1 "http://$host:[32768-32771]/cgi-bin/version" 2>/dev/null | grep -E '^v[12]$' | sort -u | tr '\n' ' ' || true)
      echo "${host%%.*} ${answers:-none}"
    done
    sleep 0.3
  done
}
poll >"$work/poll.log" &
run 'aws ecs update-service --cluster demo --service web --task-definition web --query service.deployments[].[status,rolloutState] --output text'
deployed() { [ "$(tail -n 2 "$work/poll.log" | grep -c 'v2 $')" = 2 ] && ! tail -n 2 "$work/poll.log" | grep -q v1 && both_running; }
until_true 90 'the deployment of v2' deployed
rm -f "$work/polling"
run 'aws ecs wait services-stable --cluster demo --services web'
note 'what each instance answered, in order, and how often'
for host in "${hosts[@]}"; do
  printf '%s' "${host%%.*}:"
  sed -n "s/^${host%%.*} //p" "$work/poll.log" | uniq -c | awk '{ n = $1; $1 = ""; sub(/^ /, ""); gsub(/ $/, ""); gsub(/ /, " and "); printf "  %s x%d", $0, n }'
  printf '\n'
done
grep -q none "$work/poll.log" && fail 'an instance did not answer during the deployment'
run "aws ecs describe-services --cluster demo --services web --query 'services[0].events[:5].message' --output text | tr '\\t' '\\n'"

step '10. Fargate: no instance, an address of its own, a secret, and its logs'
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
run "aws iam create-role --role-name ecsTaskExecutionRole --assume-role-policy-document '$trust' --query Role.Arn --output text"
run 'aws iam attach-role-policy --role-name ecsTaskExecutionRole --policy-arn arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'
printf '{"user":"web","password":"%s"}' "$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$work/secret.json"
run "aws secretsmanager create-secret --name demo/db --secret-string file://.berth/demo/secret.json --query ARN --output text"
secret=$said
rm "$work/secret.json"
run 'aws logs create-log-group --log-group-name /demo/web'
sed "s/localhost:4566/localhost:$port/; s|SECRET_ARN|$secret|" examples/web-fargate.json >"$work/web-fargate.json"
run "aws ecs register-task-definition --cli-input-json file://.berth/demo/web-fargate.json --query taskDefinition.taskDefinitionArn --output text"
run "aws ec2 describe-subnets --query 'Subnets[].[SubnetId,AvailabilityZone,CidrBlock]' --output text"
subnets=$(cut -f1 <<<"$said" | paste -sd,)
run "aws ecs create-service --cluster demo --service-name fargate --task-definition web-fargate --desired-count 2 --launch-type FARGATE --network-configuration 'awsvpcConfiguration={subnets=[$subnets]}' --query service.[serviceName,launchType,desiredCount] --output text"
fargate_running() { [ "$(aws ecs describe-services --cluster demo --services fargate --query 'services[0].runningCount')" = 2 ]; }
until_true 90 'the start of the Fargate tasks' fargate_running
run "aws ecs describe-tasks --cluster demo --tasks \$(aws ecs list-tasks --cluster demo --service-name fargate --query 'taskArns' --output text) --query 'tasks[].[launchType,platformVersion,availabilityZone,containers[0].networkInterfaces[0].privateIpv4Address]' --output text"
address=$(awk 'NR == 1 { print $4 }' <<<"$said")
note 'no security group lets anybody in yet but members of the same: so it is for the default group on AWS, too'
group=$(aws ec2 describe-security-groups --filters Name=group-name,Values=default --query 'SecurityGroups[0].GroupId' --output text)
run "aws ec2 authorize-security-group-ingress --group-id $group --protocol tcp --port 80 --cidr 0.0.0.0/0 --query Return"
page() { said=$(curl -s --max-time 2 "http://$address/") && [[ $said == *'a secret of 24 characters'* ]]; }
printf '$ curl -s http://%s/\n' "$address"
until_true 20 'the answer of the Fargate task' page
page; printf '%s\n' "$said"
tail='aws logs tail /demo/web --since 5m'
# Version 1 of the AWS CLI has no tail.
[[ $(aws --version 2>&1) != aws-cli/1* ]] || tail='aws logs filter-log-events --log-group-name /demo/web --query events[].message --output text'
logged() { $tail | grep -q 'GET / from'; }
until_true 30 'the arrival of the logs' logged
run "$tail"

step '11. Run a one-off task, then take everything down'
run "aws ecs run-task --cluster demo --task-definition web:1 --overrides '{\"containerOverrides\":[{\"name\":\"web\",\"command\":[\"/bin/sh\",\"-c\",\"exit 3\"]}]}' --query 'tasks[0].[taskArn,lastStatus]' --output text"
one_off=$(cut -f1 <<<"$said")
one_off_stopped() { [ "$(aws ecs describe-tasks --cluster demo --tasks "$one_off" --query 'tasks[0].lastStatus' --output text)" = STOPPED ]; }
until_true 30 'the end of the one-off task' one_off_stopped
run "aws ecs describe-tasks --cluster demo --tasks ${one_off##*/} --query 'tasks[0].[containers[0].exitCode,stopCode,stoppedReason]' --output text"
run 'aws ecs update-service --cluster demo --service web --desired-count 0 --query service.desiredCount'
for service in web fargate; do run "aws ecs delete-service --cluster demo --service $service --force --query service.status --output text"; done
no_tasks() { [ "$(aws ecs describe-clusters --clusters demo --query 'clusters[0].[runningTasksCount,pendingTasksCount,activeServicesCount]' --output text)" = $'0\t0\t0' ]; }
until_true 30 'the end of the tasks' no_tasks
run "aws ec2 terminate-instances --instance-ids $ids --query 'TerminatingInstances[].CurrentState.Name' --output text"
terminated() { [ "$(aws ec2 describe-instances --query 'Reservations[].Instances[].State.Name' --output text | tr '\t' '\n' | sort -u)" = terminated ]; }
until_true 30 'the end of the instances' terminated
run "aws ec2 describe-instances --query 'Reservations[].Instances[].[InstanceId,State.Name]' --output text"
run 'aws ecs delete-cluster --cluster demo --query cluster.status --output text'
run 'aws ecr delete-repository --repository-name web --force --query repository.repositoryName --output text'

printf '\n%sDone in %s seconds.%s\n' "$bold" "$(($(date +%s) - started))" "$plain"
if [ "${EXIT:-}" != 1 ]; then
  echo "Berth still runs. Go on with:"
  echo "  export BERTH_DATA=$BERTH_DATA; eval \"\$(./berth env)\""
  echo "and end it with:"
  echo "  ./berth down --data $BERTH_DATA$(engine_pid >/dev/null && echo "; kill $(engine_pid)")"
fi
