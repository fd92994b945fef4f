package secret

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"sluice/internal/awsenv"
)

// caller calls AWS; *awsenv.Environment is one.
type caller interface {
	Call(ctx context.Context, s awsenv.Service, region, operation string, in, out any) error
}

// Stores reads secrets from wherever a Ref may point. It touches AWS only for the references that point there.
type Stores struct {
	env func(name string) string
	aws caller
}

// NewStores returns a Fetcher that looks up variables with env and reads from AWS through aws.
func NewStores(env func(name string) string, aws caller) *Stores {
	return &Stores{env: env, aws: aws}
}

// Fetch returns the present value of what ref names.
func (s *Stores) Fetch(ctx context.Context, ref Ref) (Value, error) {
	text, err := s.read(ctx, ref)
	if err != nil {
		return Value{}, fmt.Errorf("read %s: %w", ref, err)
	}
	value := NewValue(text)
	if value.IsEmpty() {
		return Value{}, fmt.Errorf("read %s: nothing but white space is there", ref)
	}
	return value, nil
}

func (s *Stores) read(ctx context.Context, ref Ref) (string, error) {
	switch ref.kind {
	case Plain:
		return ref.hidden.Reveal(), nil
	case Environment:
		text := s.env(ref.locator)
		if text == "" {
			return "", errors.New("the environment variable is not set")
		}
		return text, nil
	case SecretsManager, ParameterStore, KMS:
		return s.readAWS(ctx, ref)
	}
	return "", errors.New("the reference names nothing")
}

func (s *Stores) readAWS(ctx context.Context, ref Ref) (string, error) {
	switch ref.kind {
	case SecretsManager:
		return s.secret(ctx, ref)
	case ParameterStore:
		return s.parameter(ctx, ref)
	default:
		return s.decrypt(ctx, ref)
	}
}

// Parameter returns the text of the Systems Manager parameter that ref names, exactly as it is stored: for documents,
// where white space matters. The caller decides whether it is a secret.
func (s *Stores) Parameter(ctx context.Context, ref Ref) (string, error) {
	if ref.kind != ParameterStore {
		return "", fmt.Errorf("read %s: want an ssm: reference", ref)
	}
	text, err := s.readAWS(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", ref, err)
	}
	return text, nil
}

// The services that keep secrets. Their JSON has binary members in base64, as encoding/json writes a []byte.
var (
	secretsManager = awsenv.Service{Name: "secretsmanager", SDKID: "Secrets Manager", Target: "secretsmanager"}
	parameterStore = awsenv.Service{Name: "ssm", SDKID: "SSM", Target: "AmazonSSM"}
	keyManagement  = awsenv.Service{Name: "kms", SDKID: "KMS", Target: "TrentService"}
)

// secret calls GetSecretValue (AWS Secrets Manager API reference).
func (s *Stores) secret(ctx context.Context, ref Ref) (string, error) {
	in := struct{ SecretId string }{ref.locator} //nolint:revive // AWS's own spelling
	var out struct {
		SecretString *string
		SecretBinary []byte
	}
	if err := s.aws.Call(ctx, secretsManager, ref.region, "GetSecretValue", in, &out); err != nil {
		return "", advise(err, needSecret)
	}
	if out.SecretString == nil {
		return pick(string(out.SecretBinary), ref.member)
	}
	return pick(*out.SecretString, ref.member)
}

// parameter calls GetParameter (AWS Systems Manager API reference).
func (s *Stores) parameter(ctx context.Context, ref Ref) (string, error) {
	in := struct {
		Name           string
		WithDecryption bool
	}{ref.locator, true}
	var out struct {
		Parameter *struct{ Value string }
	}
	if err := s.aws.Call(ctx, parameterStore, ref.region, "GetParameter", in, &out); err != nil {
		return "", advise(err, needParameter)
	}
	if out.Parameter == nil {
		return "", errors.New("the answer holds no parameter")
	}
	return out.Parameter.Value, nil
}

// decrypt calls Decrypt (AWS Key Management Service API reference).
func (s *Stores) decrypt(ctx context.Context, ref Ref) (string, error) {
	ciphertext, err := base64.StdEncoding.DecodeString(ref.hidden.Reveal())
	if err != nil {
		return "", errors.New("want base64 ciphertext")
	}
	in := struct{ CiphertextBlob []byte }{ciphertext}
	var out struct{ Plaintext []byte }
	if err := s.aws.Call(ctx, keyManagement, ref.region, "Decrypt", in, &out); err != nil {
		return "", advise(err, needDecrypt)
	}
	return string(out.Plaintext), nil
}

// What the role has to be allowed, for each of the services.
const (
	needSecret    = "secretsmanager:GetSecretValue on it, and kms:Decrypt when a key of your own encrypts it"
	needParameter = "ssm:GetParameter on it, and kms:Decrypt when a key of your own encrypts it"
	needDecrypt   = "kms:Decrypt on the key"
)

// advise adds to a refusal of AWS what a person can do about it.
func advise(err error, need string) error {
	var api *awsenv.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.Code {
	case "AccessDeniedException", "DecryptionFailure", "InvalidKeyId":
		return fmt.Errorf("%w (allow the role %s)", err, need)
	case "ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound":
		return fmt.Errorf("%w (check name, account and region; the role needs %s)", err, need)
	case "InvalidCiphertextException", "IncorrectKeyException", "NotFoundException":
		return fmt.Errorf("%w (want ciphertext made without an encryption context by a key of this region)", err)
	}
	return err
}
