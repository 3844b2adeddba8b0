#!/bin/sh
# Makes the certificates of the tests anew: `sh test/support/tls/make.sh`. They are good for the year 2000 to 2120, whatever
# day a machine takes it for; but for expired.pem. The authority's own key is thrown away.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# sign NAME KEY FROM UNTIL EXTENSIONS [-selfsign]
sign() {
  : > "$work/index.txt"
  cat > "$work/ca.cnf" <<CONF
[ca]
default_ca = this
[this]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
$5
[req]
distinguished_name = name
[name]
CONF
  openssl req -new -key "$2" -subj "/CN=effect-msnp test $1" -config "$work/ca.cnf" -out "$work/request.pem"
  openssl ca -batch -notext -config "$work/ca.cnf" -startdate "$3" -enddate "$4" -in "$work/request.pem" -out "$1.pem" \
    -keyfile "$work/authority.key" ${6:--cert authority.pem} 2>/dev/null
}

begin=20000101000000Z
end=21200101000000Z
names="subjectAltName = DNS:messenger.test, IP:127.0.0.1"

key "$work/authority.key"
sign authority "$work/authority.key" $begin $end "basicConstraints = critical, CA:TRUE" -selfsign
key server.key
sign server server.key $begin $end "$names"
sign named server.key $begin $end "subjectAltName = DNS:messenger.test"
sign expired server.key $begin 20010101000000Z "$names"
key renewed.key
sign renewed renewed.key $begin $end "$names"
# Signed by itself: nobody trusts it but who is told to.
key alone.key
cp alone.key "$work/authority.key"
sign alone alone.key $begin $end "$names" -selfsign
openssl pkey -in server.key -aes256 -passout pass:secret -out encrypted.key
