"""Prints a mail file as a mail reader would understand it: each header decoded on one line, an empty line, the text.

usage: show_mail.py FILE
"""
import email
import email.policy
import sys

with open(sys.argv[1], "rb") as file:
    message = email.message_from_binary_file(file, policy=email.policy.default)
sys.stdout.reconfigure(encoding="utf-8")
for defect in message.defects:
    print(f"DEFECT: {defect!r}")
for name, value in message.items():
    print(f"{name}: {value}")
    for defect in value.defects:
        print(f"DEFECT in {name}: {defect!r}")
print()
print(message.get_content().replace("\r\n", "\n"), end="")
