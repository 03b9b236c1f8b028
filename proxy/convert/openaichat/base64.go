package openaichat

import (
	"encoding/base64"

	"apex-ai-proxy/proxy/rawjson"
)

// decodeBase64 decodes base64 text as JSON strings carry it.
func decodeBase64(data rawjson.Escaped) ([]byte, error) {
	return base64.StdEncoding.DecodeString(data.String())
}
