#!/usr/bin/env bash
# With a certificate townd speaks https: to people, programs and agents; what is wrong with one is said at start.
. "$(dirname "$0")/world.sh"
make_repository shop
cd "$world" || exit 1

# make_certificate NAME: signed by the authority of this test.
make_certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2> /dev/null &&
    printf 'subjectAltName=DNS:%s,IP:127.0.0.1\n' "$1" > "$1.ext" &&
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile "$1.ext" -out "$1.pem" 2> /dev/null &&
    chmod 600 "$1.key" || fail "no certificate $1"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=authority -keyout ca.key -out ca.pem 2> /dev/null || fail "no authority"
make_certificate town.example
make_certificate other.example

# refused WORDS ARGUMENTS…: townd does not start, and says this.
refused() {
  "$TOWN_BIN/townd" --data "$world/refused" "${@:2}" > out 2>&1
  [ $? = 2 ] || fail "townd ${*:2} does not end with 2: $(cat out)"
  grep -q -- "$1" out || fail "townd ${*:2} does not say \"$1\": $(cat out)"
}
pair() { echo --listen 127.0.0.1:0 --tls-cert "$1" --tls-key "$2"; }
cp town.example.key open.key; chmod 644 open.key
echo words > words; chmod 600 words
refused 'and no key' --tls-cert town.example.pem
refused 'and no certificate' --tls-key town.example.key
refused 'No such file' $(pair none.pem town.example.key)
refused 'No such file' $(pair town.example.pem none.key)
refused 'cannot use the TLS certificate' $(pair words town.example.key)
refused 'holds no key' $(pair town.example.pem words)
refused 'is not the key of' $(pair town.example.pem other.example.key)
refused 'others can read' $(pair town.example.pem open.key)
refused 'there is no TLS' --listen 0.0.0.0:0

# The files are named beside townd.toml; everybody may connect.
cat >> townd.toml <<END_TOML
[server]
listen = "0.0.0.0:0"
hosts = ["town.example"]
tls_cert = "town.example.pem"
tls_key = "town.example.key"
END_TOML
town up --config townd.toml > /dev/null || fail "townd does not start"
make_town shop
{ read -r address; read -r url; } < "$TOWND_DATA/listen"
port=${address##*:}
[ "$url" = "https://127.0.0.1:$port" ] || fail "townd says that it is $url"
name=https://town.example:$port
web() { curl -sS --cacert ca.pem --resolve "town.example:$port:127.0.0.1" -H "Authorization: Bearer $(cat "$TOWND_DATA/admin.token")" "$@"; }
plain() { curl -sS -o out -w '%{http_code}' "http://127.0.0.1:$port/healthz"; }

# A bead from request to landing, by an agent that calls back over https.
[ "$(web "$name/healthz" -o /dev/null -w '%{http_code} %{ssl_verify_result}')" = "200 0" ] || fail "no https by name"
web "$url/healthz" > /dev/null || fail "no https by address"
town=$(web "$name/api/towns" | grep -o '"town_id":"[^"]*"' | cut -d '"' -f 4)
cp ca.pem shop/ca.pem
git -C shop add -A && git -C shop commit -qm "The authority"
script='echo "$GASTOWN_API_URL" > url
curl -sSf --cacert ca.pem "$GASTOWN_API_URL/api/towns/$TOWN_ID/rigs/$TOWN_RIG/agents/$TOWN_AGENT/prime" -H "Authorization: Bearer $TOWN_TOKEN" > .git/primed
git add url && git commit -qm "Where townd is" -m "Bead: $TOWN_BEAD" && town done --summary found'
export SSL_CERT_FILE=$world/ca.pem
away() { town "$@" --url "$url" --token "@$TOWND_DATA/admin.token"; }
bead=$(printf '%s\n' "$script" | away sling "Find townd" --body - --town "$town" --get bead.bead_id) || fail "town does not speak https"
ends "$bead" closed
[ "$(git -C shop show main:url)" = "$url" ] || fail "the agent was told $(git -C shop show main:url)"

# The event stream, over TLS.
timeout 30 curl -sSN --cacert ca.pem -H "Authorization: Bearer $(cat "$TOWND_DATA/admin.token")" "$url/api/towns/$town/stream" > stream &
reader=$!
others+=($reader)
heard() { grep -q '^data:' stream || { town pause > /dev/null; town resume > /dev/null; false; }; }
within 20 heard || fail "the stream says nothing over TLS"
kill $reader

# Whoever does not check out is told why: an unknown authority, another name, plain HTTP, an old protocol.
says() { grep -q -- "$1" out || fail "not \"$1\" but: $(cat out)"; }
SSL_CERT_FILE= away status > out 2>&1
[ $? = 5 ] || fail "town trusts a certificate of an authority that it does not know"
says SSL_CERT_FILE
town status --url "https://localhost:$port" --token "@$TOWND_DATA/admin.token" > out 2>&1
[ $? = 5 ] || fail "town takes a certificate of another name"
[ "$(plain)" = 400 ] || fail "plain HTTP is answered otherwise"
says 'https://'
openssl s_client -connect "127.0.0.1:$port" -tls1_1 -cipher ALL:@SECLEVEL=0 < /dev/null > out 2>&1 && fail "TLS 1.1 is spoken"
says 'protocol version'
[ "$(web "$name/api/towns" -H 'Origin: http://town.example' -o /dev/null -w '%{http_code}')" = 403 ] || fail "a page by plain http is let in"
[ "$(web "$name/api/towns" -H "Origin: $name" -o /dev/null -w '%{http_code}')" = 200 ] || fail "its own page is kept out"
[ "$(plain)" = 400 ] || fail "townd is gone"
