# The few requests of Kafka's protocol that tell whether a broker is fit for clients, spoken over bash's own TCP. Sourced by `broker`.
#
# A Java tool that asks the same takes longer to start than a dozen of these together. None of them leaves a trace in the cluster but a used
# producer id: the names asked for need not exist. Answers are strings of hex digits. Only plaintext is spoken, so the brokers' internal
# listener is asked. This file decides nothing about processes or folders.
# shellcheck shell=bash

# Seconds until a silent broker counts as one that does not answer; a paused process accepts connections and says nothing.
answer_secs=3

# Consecutive last letters give consecutive hashes, so these four names reach each of the four partitions of __transaction_state and of
# __consumer_offsets (deploy/kafka/broker, server_properties).
# shellcheck disable=SC2034 # `broker` uses it.
probes=(weir-probe-a weir-probe-b weir-probe-c weir-probe-d)

int8() { printf '%02x' "$1"; }
int16() { printf '%04x' "$1"; }
int32() { printf '%08x' "$1"; }
hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
string() { int16 "${#1}" && hex "$1"; }
null_string=ffff
no_tags=00

# take N: the next N bytes of the connection, in hex; fails when there are fewer.
take() {
    local bytes
    bytes=$(timeout "$answer_secs" head -c "$1" <&"$connection" | od -An -v -tx1 | tr -d ' \n')
    ((${#bytes} == 2 * $1)) && echo "$bytes"
}

# ask PORT KEY VERSION BODY: the answer without its length and correlation id. Fails when nobody answers.
# In its own process: the connection closes with it, and writing to a peer that hangs up ends nothing else.
ask() (
    port=$1
    request=$(int16 "$2")$(int16 "$3")$(int32 1)$(string weir-broker)$4
    request=$(int32 $((${#request} / 2)))$request
    exec 2>/dev/null {connection}<>"/dev/tcp/127.0.0.1/$port" || exit 1
    # shellcheck disable=SC2001,SC2059 # The format is the request, each byte as \xNN.
    printf "$(sed 's/../\\x&/g' <<<"$request")" >&"$connection" || exit 1
    size=$(take 4) && answer=$(take $((16#$size))) && echo "${answer:8}"
)

# serves PORT CLUSTER_ID OTHER…: the broker is one of this cluster, and sees that the brokers at the OTHER ports serve clients, too.
# (Metadata, version 2, about no topic.)
serves() {
    local other answer id=$2
    answer=$(ask "$1" 3 2 "$(int32 0)") || return 1
    shift 2
    [[ $answer == *"$(string "$id")"* ]] || return 1
    for other; do
        [[ $answer == *"$(string 127.0.0.1)$(int32 "$other")"* ]] || return 1
    done
}

# gives_producer_ids PORT: else the first producer of a fresh broker is told to retry. (InitProducerId, version 0, no transactional id.)
gives_producer_ids() {
    local answer
    answer=$(ask "$1" 22 0 "$null_string$(int32 60000)") || return 1
    [[ ${answer:8:4} == 0000 ]]
}

# coordinator PORT NAME TYPE: the port of the broker that coordinates a group (type 0) or a transactional id (type 1). The first question
# of a cluster makes it create the topic behind the type. (FindCoordinator, version 1.)
coordinator() {
    local answer
    answer=$(ask "$1" 10 1 "$(string "$2")$(int8 "$3")") || return 1
    [[ ${answer:8:4} == 0000 ]] && echo $((16#${answer: -8}))
}

# group_loaded PORT NAME: the coordinator has read its partition. (DescribeGroups, version 0.)
group_loaded() {
    local port answer
    port=$(coordinator "$1" "$2" 0) && answer=$(ask "$port" 15 0 "$(int32 1)$(string "$2")") || return 1
    [[ ${answer:8:4} == 0000 ]]
}

# transactions_loaded PORT NAME: the same for transactions; a coordinator that has read its partition answers that it knows no such
# transactional id, error 105. (DescribeTransactions, version 0; it is of the compact kind, whose lengths are one more than counted.)
transactions_loaded() {
    local port answer body
    port=$(coordinator "$1" "$2" 1) || return 1
    body=$no_tags$(int8 2)$(int8 $((${#2} + 1)))$(hex "$2")$no_tags
    answer=$(ask "$port" 65 0 "$body") || return 1
    [[ ${answer:12:4} == 0069 ]]
}
