"""Documents for tests, as texts."""

YAML = {"Content-Type": "application/yaml"}

GREETING = """\
document:
  dsl: 1.0.3
  namespace: default
  name: {name}
  version: {version}
input:
  schema:
    document:
      type: object
      required: [name]
do:
- greet:
    set:
      greeting: '${{ "{word}, " + .name }}'
"""

PATIENT = """\
document:
  dsl: 1.0.3
  namespace: default
  name: patient
  version: 1.0.0
do:
- first:
    set:
      seen: 1
- rest:
    wait:
      seconds: {seconds}
- last:
    set:
      seen: '${{ .seen + 1 }}'
"""

ENDLESS = """\
document:
  dsl: 1.0.3
  namespace: default
  name: endless
  version: 1.0.0
do:
- again:
    run:
      workflow:
        namespace: default
        name: endless
        version: 1.0.0
"""

UNSUPPORTED = """\
document:
  dsl: 1.0.3
  namespace: default
  name: greeter
  version: 1.0.0
do:
- first:
    do:
    - greet:
        call: grpc
        with:
          proto:
            endpoint: file://greet.proto
          service:
            name: Greeter
            host: localhost
            port: 5011
          method: SayHello
"""


def greeting(name: str = "greeting", version: str = "1.0.0", word: str = "Hello") -> str:
    """A document that greets `name` with a word."""
    return GREETING.format(name=name, version=version, word=word)
