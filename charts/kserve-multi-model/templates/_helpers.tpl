{{/* A word as a shell wants it. */}}
{{- define "llmd.shellQuote" -}}
{{- if regexMatch "^[A-Za-z0-9_@%+=:,./-]+$" . -}}{{ . }}{{- else -}}'{{ . | replace "'" "'\"'\"'" }}'{{- end -}}
{{- end -}}
