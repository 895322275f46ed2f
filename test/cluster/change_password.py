"""Gives a SCRAM user another password: change_password.py BOOTSTRAP USER PASSWORD"""
import sys

from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

bootstrap, user, password = sys.argv[1:]
info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
change = UserScramCredentialUpsertion(user, info, password.encode())
# The client ends with the last reference to it.
admin = AdminClient({"bootstrap.servers": bootstrap})
for future in admin.alter_user_scram_credentials([change]).values():
    future.result(30)
