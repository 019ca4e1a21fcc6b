"""What the models stand on: namespaces, certificates, gateway, operators, secrets."""
