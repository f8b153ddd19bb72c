//go:build tools

// Package tools names the commands of KEDA that the cluster of the tests runs.
package tools

import (
	_ "github.com/kedacore/keda/v2/cmd/adapter"
	_ "github.com/kedacore/keda/v2/cmd/operator"
)
