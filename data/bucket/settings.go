package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// scheme begins the address of a place in a bucket.
const scheme = "s3://"

// Is says whether a path is the address of a place in a bucket, s3://BUCKET/PREFIX.
func Is(path string) bool { return strings.HasPrefix(path, scheme) }

// Split is the bucket of an address and the rest of it, without slashes at its ends.
func Split(address string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(address, scheme)
	bucket, prefix, _ = strings.Cut(rest, "/")
	prefix = strings.Trim(prefix, "/")
	if !ok || bucket == "" {
		return "", "", fmt.Errorf("bucket: %q is no address: want s3://BUCKET/PREFIX", address)
	}
	for name := range strings.SplitSeq(prefix, "/") {
		if name == "." || name == ".." || prefix != "" && name == "" {
			return "", "", fmt.Errorf("bucket: %s: %q cannot be in an address", address, name)
		}
	}
	return bucket, prefix, nil
}

// pathStyle is the variable that says whether the bucket stands in the path of requests.
const pathStyle = "PLUMBLINE_S3_PATH_STYLE"

// Endpoint is the server that the environment names, with http:// or https:// before it.
func Endpoint() string {
	return cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com")
}

// Open is the place of an address, whose bucket must be there. Server, region and credentials are those of the usual
// variables: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION or AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else of the profile AWS_PROFILE in ~/.aws, else of the machine's or the
// pod's role. PLUMBLINE_S3_PATH_STYLE=yes or no says how buckets are named to the server, where its host does not tell.
func Open(ctx context.Context, address string) (*Bucket, error) {
	name, prefix, err := Split(address)
	if err != nil {
		return nil, err
	}
	endpoint := Endpoint()
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("bucket: AWS_ENDPOINT_URL: %q is no server such as https://s3.example.org", endpoint)
	}
	how := minio.BucketLookupAuto
	switch text := os.Getenv(pathStyle); text {
	case "":
	case "yes", "true", "1":
		how = minio.BucketLookupPath
	case "no", "false", "0":
		how = minio.BucketLookupDNS
	default:
		return nil, fmt.Errorf("bucket: %s: %q is neither yes nor no", pathStyle, text)
	}
	amazon := strings.HasSuffix(u.Hostname(), ".amazonaws.com")
	region := cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
	if region == "" && !amazon {
		region = "us-east-1" // others take any, and need not be asked
	}
	client, err := minio.New(u.Host, &minio.Options{Creds: identity(amazon), Secure: u.Scheme == "https", Region: region,
		BucketLookup: how, Transport: transport()})
	if err != nil {
		return nil, fmt.Errorf("bucket: %w", err)
	}
	if prefix != "" {
		prefix += "/"
	}
	b := &Bucket{client: minio.Core{Client: client}, name: name, prefix: prefix, Patience: patience, Pause: pause,
		Attempts: 2} // a wrong address is told soon
	there := false
	err = b.try(ctx, "", 0, func(ctx context.Context) (err error) {
		there, err = client.BucketExists(ctx, name)
		return err
	})
	if err == nil && !there {
		err = errors.New("there is no such bucket")
	}
	if err != nil {
		return nil, fmt.Errorf("bucket: %s at %s: %w", name, endpoint, err)
	}
	b.Attempts = attempts
	return b, nil
}

// identity is where credentials come from. A server that is not Amazon's is not asked for on machines that have no role
// to tell of, where the question takes long.
func identity(amazon bool) *credentials.Credentials {
	chain := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	role := os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") + os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") +
		os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if amazon || role != "" {
		chain = append(chain, &credentials.IAM{Client: &http.Client{Transport: transport(), Timeout: 10 * time.Second}})
	}
	return credentials.NewChainCredentials(chain)
}

// transport bounds how long a server may take to be reached.
func transport() http.RoundTripper {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConnsPerHost:   sideBySide,
		IdleConnTimeout:       time.Minute,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // what is fetched is what was sent
	}
}

// sideBySide is how many connections are kept.
const sideBySide = 32
