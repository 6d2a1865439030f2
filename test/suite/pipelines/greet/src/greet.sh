printf 'Hello, %s!' "$1" > "$2"
