"""A mail server for the tests: aiosmtpd with STARTTLS. Prints its port, keeps what it accepts, ends with its stdin.

usage: smtp_server.py FOLDER [--auth USER:PASSWORD] [--plain] [--delay SECONDS] [--fd LISTENING_SOCKET]

FOLDER holds cert.pem and key.pem. Accepted messages become FOLDER/1.eml, 2.eml, ... The local part of the recipient chooses
the answer: "later" 451, "unknown" 550, "content" 554 after the data; the answers quote the address.
"""
import argparse
import asyncio
import pathlib
import socket
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    def __init__(self, folder, delay_s):
        self.folder = folder
        self.delay_s = delay_s
        self.count = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("banned@"):
            return f"553 5.7.1 <{address}> may not send here"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "later":
            return f"451 4.2.0 <{address}> try again later"
        if local == "unknown":
            return f"550 5.1.1 <{address}> no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(self.delay_s)
        if envelope.rcpt_tos[0].startswith("content@"):
            return f"554 5.6.0 not for {envelope.rcpt_tos[0]}"
        self.count += 1
        tls = "yes" if session.ssl is not None else "no"
        head = f"X-Envelope-To: {envelope.rcpt_tos[0]}\r\nX-Envelope-From: {envelope.mail_from}\r\nX-Tls: {tls}\r\n"
        path = self.folder / f"{self.count}.part"
        path.write_bytes(head.encode() + envelope.original_content)
        path.rename(self.folder / f"{self.count}.eml")
        return "250 2.0.0 accepted"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--auth")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--fd", type=int)
    options = parser.parse_args()
    settings = {"hostname": "mail.test", "enable_SMTPUTF8": False}
    if not options.plain:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.folder / "cert.pem", options.folder / "key.pem")
        settings |= {"tls_context": context, "require_starttls": True}
    if options.auth:
        expected = tuple(part.encode() for part in options.auth.split(":"))

        def authenticate(server, session, envelope, mechanism, data):
            return AuthResult(success=(data.login, data.password) == expected, handled=False)

        settings |= {"authenticator": authenticate, "auth_required": True}
    keeper = Keeper(options.folder, options.delay)
    loop = asyncio.get_running_loop()
    where = {"host": "127.0.0.1", "port": 0} if options.fd is None else {"sock": socket.socket(fileno=options.fd)}
    server = await loop.create_server(lambda: SMTP(keeper, loop=loop, **settings), **where)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
