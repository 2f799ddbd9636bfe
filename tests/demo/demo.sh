#!/usr/bin/env bash
# The demo behind `./run demo`: a whole Guika in the folder demo/, and five cards dropped into its box. With --once it stops by itself and its
# exit status says whether everything happened that should.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

once=no
case "${1:-}" in
"") ;;
--once) once=yes ;;
*) echo "usage: ./run demo [--once]" >&2; exit 2 ;;
esac

bin=$PWD/build/release/bin
place=$PWD/demo
rm -rf "$place"
mkdir -m 700 "$place" "$place/minted"
pids=()

cleanup() {
    local status=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }
# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $((tries--)) -gt 0 ] || return 1
        sleep 0.1
    done
}
mails() { find "$place/outgoing/new" -type f 2>/dev/null | wc -l; }
have_mails() { [ "$(mails)" -ge "$1" ]; }
# The mail as a person reads it: decoded, without the technical headers.
show_mail() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import email, email.policy, sys
sys.stdout.reconfigure(encoding="utf-8")
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
for line in [f"To: {m['To']}", f"Subject: {m['Subject']}", "", *m.get_content().splitlines()]:
    print("    | " + line)
PYTHON
}

step "1. A service of its own, in demo/service"
"$bin/guikad" --init --config "$place/service/guikad.conf" | head -n 1
sed -i -e 's|^listen = .*|listen = {"tcp://127.0.0.1:0"}|' -e 's|path = "outgoing"|path = "../outgoing"|' "$place/service/guikad.conf"
"$bin/guikad" --config "$place/service/guikad.conf" 2>"$place/service.log" &
pids+=($!)
wait_for 20 grep -q event=shelf "$place/service.log" || fail "the service did not start; see demo/service.log"
url=$(sed -n 's/.*event=listening url=\([^ ]*\).*/\1/p' "$place/service.log" | tr -d '"' | head -n 1)
ask() { "$bin/guika" "$@" --server "$url"; }
as_operator() { ask "$@" --token-file "$place/service/operator.token"; }
ask status

step "2. The mint draws cards; a bank and a transit company register their holders"
mint() { "$bin/guika-mint" --out "$place/minted/$1" --count 1 --print flat --tilt-max-degrees 8 --seed "$2" "${@:3}" >/dev/null; }
number() { awk -F '\t' 'NR == 2 { print $4 }' "$place/minted/$1/manifest.tsv"; }
picture() { echo "$place/minted/$1/$(awk -F '\t' 'NR == 2 { print $1 }' "$place/minted/$1/manifest.tsv")"; }
mint visa 7 --kind visa --rotation upright
mint unionpay 21 --kind unionpay --rotation upright
mint octopus 5 --kind octopus --rotation upside-down
mint stranger 33 --kind mastercard --rotation upright
mint receipt 3 --kind receipt
(umask 077
    as_operator issuer add bank iso7812 >"$place/bank.token"
    as_operator issuer add transit octopus >"$place/transit.token"
    as_operator box add library --place-zh "市图书馆一楼东门" --place-en "City Library, ground floor, east door" \
        --map-url "https://map.example/city-library" --hours-zh "每天 8:00-22:00" --hours-en "daily 8:00-22:00" \
        --collecting-zh "在回收箱的键盘上输入招领编号和取卡码" --collecting-en "Type the case number and the code on the keypad of the box" \
        >"$place/box.token")
columns="scheme,number,holder_id,name,language,contacts"
printf '%s\n' "$columns" "iso7812,$(number visa),c-1001,Ada Example,en,smtp:ada@holders.example;tel:+44 20 7946 0958" \
    "iso7812,$(number unionpay),c-1002,王小明,zh,smtp:xiaoming@holders.example" >"$place/bank.csv"
printf '%s\n' "$columns" "octopus,$(number octopus),o-1,Chan Tai Man,en,smtp:chan@holders.example" >"$place/transit.csv"
ask registry import "$place/bank.csv" --token-file "$place/bank.token"
ask registry import "$place/transit.csv" --token-file "$place/transit.token"

step "3. Five things are dropped into the box"
mkdir "$place/camera"
"$bin/guika-box" --server "$url" --token-file "$place/box.token" --camera "$place/camera" --spool "$place/box" \
    --keypad "$place/keypad" --quiet \
    >"$place/box.log" 2>&1 &
pids+=($!)
sleep 1
drop() {
    local before
    before=$(wc -l <"$place/box.log")
    printf '\n  %s\n' "$2"
    cp "$(picture "$1")" "$place/camera/.$1" && mv "$place/camera/.$1" "$place/camera/$1.jpg"
    wait_for 15 test ! -e "$place/camera/$1.jpg" || fail "the box did not take $1.jpg; see demo/box.log"
    sleep 0.3
    tail -n "+$((before + 1))" "$place/box.log" | sed 's/^/    /'
}
drop visa "a Visa card that the bank registered"
drop unionpay "a UnionPay card of a Chinese holder"
drop octopus "an Octopus card, upside down"
drop stranger "a card that nobody registered"
drop receipt "a receipt"

step "4. The holders are told"
wait_for 30 have_mails 3 || fail "only $(mails) of 3 notices arrived; see demo/service.log"
for mail in "$place"/outgoing/new/*; do
    echo "  delivered notice:"
    show_mail "$mail"
done

step "5. A holder asks whether the card was found"
number visa | ask check
wait_for 30 have_mails 4 || fail "the enquiry was not answered; see demo/service.log"
echo "  answered enquiry, sent to the registered contact alone:"
show_mail "$(ls -t "$place"/outgoing/new/* | head -n 1)"

step "6. The holder types case number, code and the end of the telephone number at the box"
words() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import email, email.policy, re, sys
text = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default).get_content()
print(re.search(r"Case number: (\S+)", text)[1], re.search(r"Pickup code: (\d+)", text)[1])
PYTHON
}
type_in() {
    local before
    before=$(wc -l <"$place/box.log")
    echo "$1" >"$place/keypad"
    wait_for 10 test "$(wc -l <"$place/box.log")" -gt "$before" || true
    sleep 0.5
    tail -n "+$((before + 1))" "$place/box.log" | sed 's/^/    /'
}
read -r case code < <(words "$(ls -t "$place"/outgoing/new/* | head -n 1)")
printf '  a guess first\n'
type_in "$case 000000 0958"
printf '  the code of the notice\n'
type_in "$case $code 0958"
as_operator found show "$case"
as_operator found show "$case" | grep -q COLLECTED || fail "the card was not collected; see demo/box.log"

step "7. What the operator sees"
as_operator found list
as_operator stats

found=$(as_operator found list --json)
count() { printf '%s' "$found" | grep -o "\"$1\"" | wc -l; }
[ "$(count UNREGISTERED)" -ge 1 ] || fail "the unregistered card is not among the difficult ones"
if grep -rqF -e "$(number visa)" -e "ada@holders.example" "$place/service" "$place/service.log" "$place/box" "$place/box.log"; then
    fail "a number or an address rests in clear"
fi

step "The pictures are in demo/minted, the notices in demo/outgoing/new, the logs in demo/service.log and demo/box.log"
if [ "$once" = yes ]; then
    exit 0
fi
echo "The service is up at $url until Ctrl-C. Drop pictures into demo/camera, or ask it:"
echo "  build/release/bin/guika found list --server $url --token-file demo/service/operator.token"
wait "${pids[0]}"
