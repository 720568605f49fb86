"""A client of HTTP/1.1, which is what the standard library has."""
import http.client
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[2])
connection = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=context, timeout=30)
connection.request("GET", "/hello")
print("protocol", connection.sock.selected_alpn_protocol() or "http/1.1")
answer = connection.getresponse()
print(answer.status, answer.read().decode())
